package rook

const isManaged = "true"

// Marks returns the labels of everything that rook-clusterset creates.
func Marks() map[string]string {
	return map[string]string{ManagedLabel: isManaged, ManagedByLabel: Manager}
}

// OnlyMarks returns those labels by which IsOurs and IsMarked judge.
func OnlyMarks(labels map[string]string) map[string]string {
	kept := map[string]string{}
	for key := range Marks() {
		if value, ok := labels[key]; ok {
			kept[key] = value
		}
	}
	return kept
}

// IsMarked says whether what has these labels was created by rook-clusterset, and may be deleted.
func IsMarked(labels map[string]string) bool { return labels[ManagedLabel] == isManaged }

// IsOurs says whether what has these labels was created by rook-clusterset, be it by an earlier release, which did not mark it.
func IsOurs(labels map[string]string) bool {
	return IsMarked(labels) || labels[ManagedByLabel] == Manager
}

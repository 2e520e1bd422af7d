package measure

// Enabled returns the labels of a namespace that is switched on.
func Enabled() map[string]string { return map[string]string{"rook-clusterset.io/enabled": "true"} }

package webhook

const (
	// freeObjects and freeValues are more than a review of what Rook writes has, with the object that it replaces.
	freeObjects = 512
	freeValues  = 8 << 10
	// objectWeight is what an object that is an element of a list becomes at most when it is decoded: a Container takes that,
	// though its JSON is but {}. valueWeight is the same for any other value.
	objectWeight = 1 << 10
	valueWeight  = 64
)

// weigh returns how many bytes a body of JSON takes in memory beyond what one of its size should: a few characters can become
// a thousand bytes. It understands as much of JSON as it has to, and takes for granted that the text is some.
func weigh(body []byte) int64 {
	var objects, values int64
	var lists []bool
	inList := func() bool { return len(lists) > 0 && lists[len(lists)-1] }
	quoted, escaped := false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			values++
			if c == '{' && inList() {
				objects++
			}
			lists = append(lists, c == '[')
		case (c == '}' || c == ']') && len(lists) > 0:
			lists = lists[:len(lists)-1]
		case c == ',':
			values++
		}
	}
	return objectWeight*max(0, objects-freeObjects) + valueWeight*max(0, values-freeValues)
}

package shapes

import "fmt"

// Release is a release of Rook 1.
type Release struct {
	Minor int
	Patch int
}

// String returns the release as Rook's label rook-version has it.
func (r Release) String() string { return fmt.Sprintf("v1.%d.%d", r.Minor, r.Patch) }

// AtLeast says whether the release is that one or a later one.
func (r Release) AtLeast(minor, patch int) bool {
	return r.Minor > minor || r.Minor == minor && r.Patch >= patch
}

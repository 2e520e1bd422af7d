package cli

import "errors"

// The exit codes of a command that fails. What was looked at and is not well is told apart from what could not be looked at, be it for
// a flag that there is not, so that no script takes the one for the other.
const (
	exitNotWell    = 1
	exitCannotTell = 2
)

// notWell is an error by which a command says what it found.
type notWell struct{ error }

// exitCode returns the code for an error.
func exitCode(err error) int {
	if _, found := errors.AsType[notWell](err); found {
		return exitNotWell
	}
	return exitCannotTell
}

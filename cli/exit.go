package cli

import "errors"

// coded is an error with an exit code of its own.
type coded struct {
	error

	code int
}

// Unwrap makes the error known to errors.Is and errors.As.
func (c coded) Unwrap() error { return c.error }

// exitCode returns the code of an error that has one, else 1.
func exitCode(err error) int {
	if c, ok := errors.AsType[coded](err); ok {
		return c.code
	}
	return 1
}

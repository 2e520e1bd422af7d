package reason

import "fmt"

// Error is a reason with the particulars of the case; it serves where a Go error is wanted.
type Error struct {
	Code   Code
	Detail string
}

// Errorf returns an Error of the code whose detail is formatted as by fmt.Sprintf.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// Error returns the sentence of the code, followed by the detail in parentheses where there is one.
func (e *Error) Error() string {
	if e.Detail == "" {
		return e.Code.Sentence()
	}
	return fmt.Sprintf("%s (%s)", e.Code.Sentence(), e.Detail)
}

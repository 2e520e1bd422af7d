package rook

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Move is what is noted, on its ServiceExport, of a mon that Rook is to replace: the Deployment would lose it at Rook's next
// write.
type Move struct {
	// Since is when the mon was stopped, or about to be; it is zero for one that is not being replaced.
	Since time.Time
	// Generation is that of its Deployment before it was stopped: as long as it has that one, it was not stopped.
	Generation int64
	// Newest is the mon that Rook had made last by then.
	Newest string
	// Undone is how often Rook has started the mon again.
	Undone int
	// Failed is how often it was not replaced, and RetryAt when that is tried again.
	Failed  int
	RetryAt time.Time
}

// The words of a Move in its annotation.
const (
	moveSince      = "since"
	moveGeneration = "generation"
	moveNewest     = "newest"
	moveUndone     = "undone"
	moveFailed     = "failed"
	moveRetryAt    = "retry-at"
)

// ReadMove reads what String wrote. What it does not understand it leaves out: whoever may write an export can have written anything.
func ReadMove(text string) Move {
	var m Move
	for word := range strings.FieldsSeq(text) {
		key, value, _ := strings.Cut(word, "=")
		number, _ := strconv.Atoi(value)
		number = max(number, 0)
		switch key {
		case moveSince:
			m.Since = timeOrNone(value)
		case moveGeneration:
			m.Generation = int64(number)
		case moveNewest:
			m.Newest = value
		case moveUndone:
			m.Undone = number
		case moveFailed:
			m.Failed = number
		case moveRetryAt:
			m.RetryAt = timeOrNone(value)
		}
	}
	return m
}

// String returns the move as it is noted; that of nothing is empty.
func (m Move) String() string {
	var words []string
	addTime := func(key string, t time.Time) {
		if !t.IsZero() {
			words = append(words, key+"="+t.UTC().Format(time.RFC3339))
		}
	}
	addNumber := func(key string, n int64) {
		if n != 0 {
			words = append(words, fmt.Sprintf("%s=%d", key, n))
		}
	}
	addTime(moveSince, m.Since)
	addNumber(moveGeneration, m.Generation)
	if m.Newest != "" {
		words = append(words, moveNewest+"="+m.Newest)
	}
	addNumber(moveUndone, int64(m.Undone))
	addNumber(moveFailed, int64(m.Failed))
	addTime(moveRetryAt, m.RetryAt)
	return strings.Join(words, " ")
}

// UnderWay says that the mon was stopped, or is about to be, and is not replaced yet.
func (m Move) UnderWay() bool { return !m.Since.IsZero() }

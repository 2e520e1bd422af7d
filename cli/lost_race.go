package cli

import (
	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// lostRaces tells of a write of the lease that came second as of nothing wrong: of two replicas that stand for it one has to lose.
type lostRaces struct{ logr.LogSink }

func withoutLostRaces(log logr.Logger) logr.Logger {
	return log.WithSink(lostRaces{log.GetSink()})
}

// Error implements logr.LogSink.
func (l lostRaces) Error(err error, msg string, keysAndValues ...any) {
	switch {
	case !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err):
		l.LogSink.Error(err, msg, keysAndValues...)
	case l.Enabled(1):
		l.Info(1, "Another replica was first", append(keysAndValues, "reason", err.Error())...)
	}
}

// WithValues implements logr.LogSink.
func (l lostRaces) WithValues(keysAndValues ...any) logr.LogSink {
	return lostRaces{l.LogSink.WithValues(keysAndValues...)}
}

// WithName implements logr.LogSink.
func (l lostRaces) WithName(name string) logr.LogSink { return lostRaces{l.LogSink.WithName(name)} }

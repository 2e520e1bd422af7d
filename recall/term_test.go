package recall_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/recall"
)

func TestWhatALeaderDoesEndsWithItsTerm(t *testing.T) {
	term := recall.NewTerm()
	begun := 0
	term.OnBegin(func() { begun++ })
	_, end, leads := term.Bind(t.Context())
	end()
	require.False(t, leads, "before the first term")

	first, over := context.WithCancel(t.Context())
	term.Begin(first)
	<-term.First()
	require.Zero(t, begun, "with the first term everything begins anyway")
	bound, end, leads := term.Bind(t.Context())
	defer end()
	require.True(t, leads)
	require.NoError(t, bound.Err())
	over()
	<-bound.Done()
	_, stop, leads := term.Bind(t.Context())
	stop()
	require.False(t, leads, "another leads now")

	term.Begin(t.Context())
	require.Equal(t, 1, begun, "what was forgotten has to be done again")
	bound, end, leads = term.Bind(t.Context())
	require.True(t, leads)
	end()
	require.Error(t, bound.Err(), "what is done with is over")
}

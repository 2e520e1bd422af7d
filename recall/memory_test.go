package recall_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/rook-clusterset/rook-clusterset/recall"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestANoteIsNewsOncePerChangeAndAgainWhenItsSubjectIsForgotten(t *testing.T) {
	var all recall.Memories
	m := all.Of("rook-ceph", "uid")
	first := recall.Note{Subject: `osd "0"`, Code: "address_resolved", Text: "242.0.0.1"}
	second := first
	second.Text = "242.0.0.2"
	other := recall.Note{Subject: `osd "1"`, Code: "address_resolved", Text: "242.0.0.1"}
	require.True(t, m.IsNews(first))
	require.False(t, m.IsNews(first))
	require.True(t, m.IsNews(second))
	require.True(t, m.IsNews(other))
	m.Forget(`osd "0"`, recall.Note{Code: "something_else"})
	require.True(t, m.IsNews(second))
	m.Forget(`osd "0"`, second)
	require.False(t, m.IsNews(second), "what is being reported is not forgotten")
	require.False(t, m.IsNews(other), "it is of another subject")
	m.ForgetAllBut(other)
	require.False(t, m.IsNews(other))
	require.True(t, m.IsNews(second))
}

func TestAVainQuestionIsPutEverMoreSeldomUntilSomethingChanges(t *testing.T) {
	var all recall.Memories
	m := all.Of("rook-ceph", "uid")
	now := noon
	for _, seconds := range []int{5, 10, 20, 40, 60, 60} {
		pause := time.Duration(seconds) * time.Second
		require.True(t, m.Due("osd-0", "a", now))
		require.Equal(t, noon, m.Failed("osd-0", "a", now, false), "it is in vain since the first")
		require.Equal(t, pause, m.NextTry("osd-0", now))
		require.False(t, m.Due("osd-0", "a", now.Add(pause-1)))
		now = now.Add(pause)
	}
	require.True(t, m.Due("osd-0", "b", noon), "what may change the answer did")
	m.Answered("osd-0")
	require.Zero(t, m.NextTry("osd-0", now))
	require.True(t, m.Due("osd-0", "a", noon))
}

func TestTheMemoryOfACephClusterEndsWithIt(t *testing.T) {
	var all recall.Memories
	note := recall.Note{Subject: "s", Code: "c", Text: "t"}
	require.True(t, all.Of("rook-ceph", "first").IsNews(note))
	require.False(t, all.Of("rook-ceph", "first").IsNews(note))
	require.True(t, all.Of("rook-ceph", "second").IsNews(note))
	all.Forget("rook-ceph")
	require.True(t, all.Of("rook-ceph", "second").IsNews(note))
}

func TestAChangeIsAboutOneServiceOrAboutAll(t *testing.T) {
	var c recall.Changes
	a := types.NamespacedName{Namespace: "rook-ceph", Name: "rook-ceph-mon-a"}
	c.Add(a)
	require.Equal(t, 1, c.About(a.Namespace, a.Name))
	require.Zero(t, c.About(a.Namespace, "rook-ceph-mon-b"))
	c.AddForAll()
	require.Equal(t, 2, c.About(a.Namespace, a.Name))
	require.Equal(t, 2, c.About(a.Namespace, "rook-ceph-mon-b"))
	require.Equal(t, 2, c.AboutAll())
	c.Add(a)
	require.Equal(t, 3, c.About(a.Namespace, a.Name))
	require.Equal(t, 2, c.AboutAll())
}

package rook_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func entriesOf(t *testing.T, data string) []rook.Endpoint {
	t.Helper()
	listed, err := rook.ParseEndpoints(data)
	require.NoError(t, err)
	return listed
}

func TestWhatRookRemembersFollowsFromWhatItWrites(t *testing.T) {
	for name, c := range map[string]struct {
		known  string
		write  rook.OperatorWrite
		wrong  string
		want   string
		isNews bool
		token  bool
	}{
		"nothing wrong":                  {write: rook.OperatorWrite{FromMemory: true}, token: true},
		"a mon that had to be corrected": {write: rook.OperatorWrite{FromMemory: true}, wrong: "b=10.96.0.2:6789", want: "b=10.96.0.2:6789", isNews: true},
		"another one":                    {known: "b=10.96.0.2:6789", write: rook.OperatorWrite{FromMemory: true}, wrong: "c=10.96.0.3:6789", want: "c=10.96.0.3:6789", isNews: true},
		"all is right by now, and the token is to come":   {known: "b=10.96.0.2:6789", write: rook.OperatorWrite{FromMemory: true}, isNews: true, token: true},
		"what it read tells nothing of what it remembers": {known: "b=10.96.0.2:6789", write: rook.OperatorWrite{}, want: "b=10.96.0.2:6789", token: true},
		"of two entries of one mon the last":              {write: rook.OperatorWrite{FromMemory: true}, wrong: "b=10.96.0.2:6789,b=10.96.0.3:6789", want: "b=10.96.0.3:6789", isNews: true},
		"what it read was wrong as well":                  {known: "b=10.96.0.2:6789", write: rook.OperatorWrite{}, wrong: "a=242.0.0.9:6789", want: "a=242.0.0.9:6789,b=10.96.0.2:6789", isNews: true},
	} {
		t.Run(name, func(t *testing.T) {
			c.write.Operator, c.write.Wrong = "rook-ceph", entriesOf(t, c.wrong)
			before := rook.Remembered{Mons: entriesOf(t, c.known), ReloadRequested: noon, TokenRight: noon, Written: noon, Operator: "rook-ceph"}
			after, news := before.After(c.write, noon)
			require.Equal(t, c.want, rook.FormatEndpoints(after.Mons))
			require.Equal(t, c.isNews, news)
			require.Equal(t, c.token, !after.TokenRight.IsZero(), "Rook writes the token from the same memory")
			require.Equal(t, noon, after.ReloadRequested, "that is the leader's")
		})
	}
}

func TestARepeatedWriteIsNewsOnceInAMinute(t *testing.T) {
	write := rook.OperatorWrite{Operator: "rook-ceph", FromMemory: true, Wrong: entriesOf(t, "b=10.96.0.2:6789")}
	known, news := rook.Remembered{}.After(write, noon)
	require.True(t, news)
	require.Equal(t, noon, known.Written)
	_, news = known.After(write, noon.Add(time.Minute))
	require.False(t, news)
	_, news = known.After(write, noon.Add(61*time.Second))
	require.True(t, news)
}

func TestWhatIsRememberedIsReadAsItWasWritten(t *testing.T) {
	r := rook.Remembered{
		Mons: entriesOf(t, "b=10.96.0.2:6789"), Operator: "rook-system", Written: noon, ReloadRequested: noon.Add(time.Second),
		TokenRight: noon.Add(time.Minute), MonHostLacks: entriesOf(t, "c=242.0.0.3:6789"),
	}
	require.Equal(t, r, rook.ReadRemembered(&corev1.ConfigMap{Data: r.Data()}))
	require.Equal(t, rook.Remembered{}, rook.ReadRemembered(nil))
	require.Equal(t, rook.Remembered{}, rook.ReadRemembered(&corev1.ConfigMap{Data: map[string]string{"written": "once"}}))

	after := r
	after.Mons, after.ReloadRequested = nil, noon.Add(time.Hour)
	changes := r.ChangesTo(after)
	require.Len(t, changes, 2)
	require.Nil(t, changes["mons"])
	require.Equal(t, "2026-03-01T13:00:00Z", *changes["reload-requested"])
	require.Empty(t, r.ChangesTo(r))
}

func TestRookCanRememberOnlyWhatItCouldRead(t *testing.T) {
	mons := map[string]rook.DaemonFacts{"a": newMonWith("242.0.0.1", "10.96.0.1")}
	parse := func(data string) []rook.Endpoint {
		parsed, err := rook.ParseEndpoints(data)
		require.NoError(t, err)
		return parsed
	}
	for written, wanted := range map[string]string{
		"a=10.96.0.1:6789": "a=10.96.0.1:6789",
		"a=10.96.0.8:6789": "a=10.96.0.8:6789",
		"a=10.96.0.9:6789": "a=10.96.0.9:6789",
		"a=10.96.0.1:22,a=198.51.100.66:6789,b=10.96.0.1:6789,evil=198.51.100.66:6789": "",
	} {
		found := rook.CanRemember(parse(written), parse("a=10.96.0.8:6789"), endpointsMap("a=10.96.0.9:6789"), mons)
		require.Equal(t, wanted, rook.FormatEndpoints(found))
	}
	require.Empty(t, rook.CanRemember(parse("a=10.96.0.9:6789"), nil, nil, mons))
}

package realceph

import (
	"context"
	"encoding/json"
	"net/netip"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
)

const quorumStatus = `{"election_epoch":8,"quorum":[0,1],"quorum_names":["a","b"],"quorum_leader_name":"a","quorum_age":3,
"monmap":{"epoch":2,"fsid":"264adfcd-027a-4c37-91cc-e27b1b9b6755","mons":[
{"rank":0,"name":"a","public_addrs":{"addrvec":[{"type":"v2","addr":"242.0.0.1:3300","nonce":0},{"type":"v1","addr":"242.0.0.1:6789","nonce":0}]},"addr":"242.0.0.1:6789/0"},
{"rank":1,"name":"b","public_addrs":{"addrvec":[{"type":"v2","addr":"[fd00::2]:3300","nonce":0}]},"addr":"[fd00::2]:3300/0"}]}}`

func TestQuorumStatusDialsWhatIsRememberedAndNothingElse(t *testing.T) {
	var ran []string
	commands := Commands{Run: func(ctx context.Context, program string, args ...string) *exec.Cmd {
		ran = append([]string{program}, args...)
		return exec.CommandContext(ctx, "printf", "%s", quorumStatus)
	}}
	quorum, err := commands.QuorumStatus(t.Context(), ceph.Access{
		Dial: []netip.AddrPort{netip.MustParseAddrPort("242.0.0.1:6789"), netip.MustParseAddrPort("[fd00::2]:3300")}, AdminKey: "K",
	})
	require.NoError(t, err)
	require.Equal(t, ceph.Quorum{
		Monmap:  map[string]netip.Addr{"a": netip.MustParseAddr("242.0.0.1"), "b": netip.MustParseAddr("fd00::2")},
		Members: []string{"a", "b"},
	}, quorum)
	require.Equal(t, "ceph --conf=/dev/null --mon-host=[v2:242.0.0.1:3300,v1:242.0.0.1:6789],[v2:[fd00::2]:3300] --name=client.admin "+
		"--key=K --connect-timeout=15 quorum_status --format json", strings.Join(ran, " "))
}

func TestTheHealthIsThatOfCephWithWhatIsMuted(t *testing.T) {
	commands := Commands{Run: func(ctx context.Context, _ string, _ ...string) *exec.Cmd {
		return exec.CommandContext(ctx, "echo", `{"quorum_names":["a","b"],"health":{"status":"HEALTH_WARN","checks":{
"MON_DOWN":{"severity":"HEALTH_WARN","summary":{"message":"1/3 mons down, quorum a,b","count":1},"muted":false},
"MGR_MODULE_ERROR":{"severity":"HEALTH_ERR","summary":{"message":"a module has failed","count":1},"muted":true}},"mutes":[]}}`)
	}}
	health, err := commands.Health(t.Context(), ceph.Access{})
	require.NoError(t, err)
	require.Equal(t, ceph.Health{Status: "HEALTH_WARN", Mons: 2, Checks: map[string]ceph.Check{
		"MON_DOWN":         {Severity: "HEALTH_WARN", Message: "1/3 mons down, quorum a,b"},
		"MGR_MODULE_ERROR": {Severity: "HEALTH_ERR", Message: "a module has failed"},
	}}, health)
}

func TestACommandThatFailsTellsWhatItSaid(t *testing.T) {
	commands := Commands{Run: func(ctx context.Context, _ string, _ ...string) *exec.Cmd {
		return exec.CommandContext(ctx, "sh", "-c", "echo no mon >&2; exit 1")
	}}
	_, err := commands.QuorumStatus(t.Context(), ceph.Access{})
	require.ErrorContains(t, err, "no mon")
}

func TestAnOSDThatNeverRanHasNoAddress(t *testing.T) {
	var never Addresses
	require.NoError(t, json.Unmarshal([]byte(`{"addrvec":[]}`), &never))
	require.False(t, never.Addr().IsValid())
}

func TestTheFormatOfADifference(t *testing.T) {
	require.Equal(t, "rbd diff v1\nw\x00\x01\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00xye", string(imageDiff(256, []byte("xy"))))
}

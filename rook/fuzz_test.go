package rook_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// FuzzRewriteDeployment starts from every golden file, so that whole Deployments of any shape are rewritten.
func FuzzRewriteDeployment(f *testing.F) {
	for _, g := range goldens(f) {
		text, err := json.Marshal(g.in)
		require.NoError(f, err)
		f.Add(text, g.ip.AsSlice())
	}
	f.Fuzz(func(t *testing.T, text, address []byte) {
		d := &appsv1.Deployment{}
		if json.Unmarshal(text, d) != nil {
			t.Skip()
		}
		ip, _ := netip.AddrFromSlice(address)
		requireOnlyOurFlagsRewritten(t, d, ip)
	})
}

// FuzzRewriteArgs leaves the Deployment that of a mon or an OSD and turns to the arguments, one a line.
func FuzzRewriteArgs(f *testing.F) {
	for _, g := range goldens(f) {
		pod := g.in.Spec.Template.Spec
		mkfs := ""
		if len(pod.InitContainers) > 1 {
			mkfs = strings.Join(pod.InitContainers[1].Args, "\n")
		}
		own := pod.Containers[0]
		f.Add(own.Name == "mon", strings.Join(own.Args, "\n"), mkfs, strings.Join(own.Command, "\n"), g.ip.AsSlice(), true)
	}
	f.Add(false, "--public_addr\n10.0.0.1\n--cluster-addr=192.168.7.7\n--public-bind_addr", "", "", globalIP.AsSlice(), false)
	f.Add(false, "ceph\nosd\nstart\n--\n--public-addr\n--\n--public-addr", "", "", globalIP.AsSlice(), false)
	f.Add(true, "--public-addr=\n--public-addr=x", "--public-addr=\n--mkfs", "ceph-mon", globalIP.AsSlice(), false)
	f.Fuzz(func(t *testing.T, isMon bool, args, mkfsArgs, command string, address []byte, withPodIP bool) {
		own := corev1.Container{Args: lines(args), Command: lines(command)}
		if withPodIP {
			own.Env = slices.Clone(podIP)
		}
		d := deployment(rook.OSD, "0", own)
		if isMon {
			d = deployment(rook.Mon, "a", own, corev1.Container{Name: "init-mon-fs", Args: lines(mkfsArgs)})
		}
		ip, _ := netip.AddrFromSlice(address)
		requireOnlyOurFlagsRewritten(t, d, ip)
	})
}

func lines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// requireOnlyOurFlagsRewritten rewrites the Deployment and checks what must hold whatever it is.
func requireOnlyOurFlagsRewritten(t *testing.T, d *appsv1.Deployment, ip netip.Addr) {
	t.Helper()
	before := d.DeepCopy()
	changes, code := rook.ChangesFor(d, ip)
	require.Equal(t, before, d)
	require.True(t, code.Known(), code)
	require.Equal(t, code == reason.Rewritten, len(changes) > 0)
	if code != reason.Rewritten {
		return
	}
	changes.Apply(d)
	requirePatch(t, before, changes, d)
	require.NotEqual(t, before, d)
	require.Equal(t, withoutOurs(t, before), withoutOurs(t, d))

	// What a rewritten daemon has, it has once; the arguments behind a lone -- are none of Ceph's flags.
	address, ok := rook.Address(d)
	require.True(t, ok)
	require.Equal(t, ip.Unmap(), address.WithZone(ip.Zone()))
	daemon, _ := rook.Identify(d)
	own := ownContainer(d, string(daemon.Type))
	require.Equal(t, 1, count(own.Args, "--public-addr"))
	require.Equal(t, 1, count(own.Args, "--public-bind-addr"))
	if daemon.Type == rook.OSD {
		require.Equal(t, 1, count(own.Args, "--cluster-addr"))
	}
	if strings.Contains(strings.Join(own.Args, " "), "$(ROOK_POD_IP)") {
		require.True(t, slices.ContainsFunc(own.Env, func(e corev1.EnvVar) bool { return e.Name == "ROOK_POD_IP" }))
	}

	once := d.DeepCopy()
	require.Equal(t, reason.AlreadyRight, rewrite(d, ip))
	require.Equal(t, once, d)
}

// withoutOurs returns the Deployment as JSON without what a rewrite may touch: the three flags and the environment
// variable, in the containers that it may touch.
func withoutOurs(t *testing.T, d *appsv1.Deployment) string {
	t.Helper()
	d = d.DeepCopy()
	pod := &d.Spec.Template.Spec
	for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
		for i := range containers {
			c := &containers[i]
			if !slices.Contains([]string{"mon", "osd", "init-mon-fs"}, c.Name) {
				continue
			}
			c.Args = append([]string{}, withoutFlags(c.Args)...)
			c.Env = append([]corev1.EnvVar{}, slices.DeleteFunc(c.Env, func(e corev1.EnvVar) bool { return e.Name == "ROOK_POD_IP" })...)
		}
	}
	text, err := json.Marshal(d)
	require.NoError(t, err)
	return string(text)
}

func withoutFlags(args []string) []string {
	var left []string
	for i := 0; i < len(args); i++ {
		switch name, _, inline := strings.Cut(args[i], "="); {
		case !isOurs(name):
			left = append(left, args[i])
		case !inline && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			i++
		}
	}
	return left
}

func isOurs(name string) bool {
	return strings.HasPrefix(name, "--") && slices.Contains([]string{"public-addr", "public-bind-addr", "cluster-addr"}, strings.ReplaceAll(name[2:], "_", "-"))
}

func count(args []string, flag string) int {
	n := 0
	if len(args) > 3 && strings.Join(args[:4], " ") == "ceph osd start --" {
		args = args[4:]
	}
	for _, arg := range args {
		if arg == "--" {
			break
		}
		if name, _, _ := strings.Cut(arg, "="); strings.ReplaceAll(name, "_", "-") == flag {
			n++
		}
	}
	return n
}

func ownContainer(d *appsv1.Deployment, name string) corev1.Container {
	for _, c := range d.Spec.Template.Spec.Containers {
		if c.Name == name {
			return c
		}
	}
	return corev1.Container{}
}

func FuzzEndpoints(f *testing.F) {
	for _, data := range []string{
		"", "a=10.96.0.1:6789", "a=10.96.0.1:6789,b=[fd00::1]:3300", "c=10.96.0.3:3300,,a,=1.2.3.4:5", "a=[::ffff:10.96.0.1]:6789", "a=[fe80::1%eth0]:6789", "a=1.1.1.1:1,a=2.2.2.2:2",
	} {
		f.Add(data)
	}
	truth := map[string]netip.Addr{"a": netip.MustParseAddr("242.0.0.1"), "b": netip.MustParseAddr("fd42::1")}
	f.Fuzz(func(t *testing.T, data string) {
		endpoints, err := rook.ParseEndpoints(data)
		again, againErr := rook.ParseEndpoints(rook.FormatEndpoints(endpoints))
		require.NoError(t, againErr)
		require.Equal(t, endpoints, again)

		corrected, wrong, correctErr := rook.CorrectEndpoints(data, truth)
		require.Equal(t, err, correctErr)
		require.Equal(t, strings.Count(data, ","), strings.Count(corrected, ","))
		if len(wrong) == 0 {
			require.Equal(t, data, corrected)
		}
		twice, wrong, _ := rook.CorrectEndpoints(corrected, truth)
		require.Equal(t, corrected, twice)
		require.Empty(t, wrong)
		after, _ := rook.ParseEndpoints(corrected)
		require.Len(t, after, len(endpoints))
		for i, e := range after {
			require.Equal(t, endpoints[i].ID, e.ID)
			require.Equal(t, endpoints[i].Addr.Port(), e.Addr.Port())
			if addr, known := truth[e.ID]; known {
				require.Equal(t, addr, e.Addr.Addr())
			}
		}
	})
}

func FuzzMonHost(f *testing.F) {
	for _, text := range []string{
		"", "[v2:10.96.0.1:3300,v1:10.96.0.1:6789],[v2:[fd00::1]:3300/0]", "10.96.0.1:6789,10.96.0.2", "[[fd00::1]]", "any:10.96.0.1", "]v1:[10.96.0.1[,;",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		corrected, changed := rook.CorrectMonHost(text, monReplacements)
		require.Equal(t, corrected != text, changed)
		again, changed := rook.CorrectMonHost(corrected, monReplacements)
		require.Equal(t, corrected, again)
		require.False(t, changed)
		untouched, changed := rook.CorrectMonHost(text, nil)
		require.Equal(t, text, untouched)
		require.False(t, changed)
	})
}

func FuzzCSIConfig(f *testing.F) {
	for _, text := range []string{
		"", "null", "[]", `[{"clusterID":"rook-ceph","monitors":["10.96.0.1:6789","[fd00::1]:3300"],"rbd":{"mirrorCount":0},"namespace":""}]`,
		`[{"monitors":["10.96.0.1\u003a6789",7,null,["10.96.0.1:1"]],"monitors":["10.96.0.2:1"]},{"x":1.5e300,"monitors":{}}] `,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		corrected, changed, err := rook.CorrectCSIConfig(text, monReplacements)
		if err != nil || !changed {
			require.Equal(t, text, corrected)
			require.False(t, changed)
			return
		}
		require.NotEqual(t, text, corrected)
		again, changed, err := rook.CorrectCSIConfig(corrected, monReplacements)
		require.NoError(t, err)
		require.False(t, changed)
		require.Equal(t, corrected, again)
		require.Equal(t, withoutMonitors(t, text), withoutMonitors(t, corrected))
	})
}

func withoutMonitors(t *testing.T, text string) []any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var clusters []any
	require.NoError(t, d.Decode(&clusters))
	for _, cluster := range clusters {
		object, _ := cluster.(map[string]any)
		monitors, _ := object["monitors"].([]any)
		for i := range monitors {
			if _, ok := monitors[i].(string); ok {
				monitors[i] = "a monitor"
			}
		}
	}
	return clusters
}

func FuzzDecideEndpoints(f *testing.F) {
	f.Add("a=10.96.0.1:6789", "", "", uint8(0), uint8(2))
	f.Add("a=242.0.0.1:6789,b=10.96.0.2:6789", "a=242.0.0.1:6789", "", uint8(3), uint8(2))
	f.Add("a=242.0.0.1:6789,b=10.96.0.2:6789", "a=242.0.0.1:6789", "x,b", uint8(4), uint8(1))
	f.Add("a=10.96.0.1:6789,?", "a=10.96.0.1:6789", "", uint8(5), uint8(5))
	f.Fuzz(func(t *testing.T, data, storedData, external string, a, b uint8) {
		kinds := []rook.DaemonFacts{
			{}, {Export: waitingExport()}, newMonWith("242.0.0.1", "10.96.0.1"), bornMon("242.0.0.1", "10.96.0.1"), oldMon("10.96.0.1"), {Deployed: true},
		}
		mons := map[string]rook.DaemonFacts{"a": kinds[int(a)%len(kinds)], "b": kinds[int(b)%len(kinds)]}
		write, stored := endpointsMap(data), endpointsMap(storedData)
		write.Data[rook.EndpointsExternalMons] = external
		facts := rook.EndpointsFacts{New: write, Stored: stored, Mons: mons}
		d := rook.DecideEndpoints(facts)
		require.True(t, d.Code.Known(), d.Code)
		require.Equal(t, d.Action == rook.Hold, len(d.Waiting) > 0)
		require.Equal(t, d.Action == rook.Rewrite, d.Corrected != nil)
		facts.GaveUp = reason.HoldTimedOut
		after := rook.DecideEndpoints(facts)
		require.NotEqual(t, rook.Hold, after.Action)
		if data == storedData {
			require.Contains(t, []rook.Action{rook.Allow, rook.Rewrite}, after.Action)
		}
		if d.Action != rook.StoreAndRefuse {
			return
		}
		// Rook reloads what was stored, and so is refused no second time.
		merged := rook.FirstEndpoints(stored, theCluster, mons)
		if merged == nil {
			merged = stored
		}
		second := rook.DecideEndpoints(rook.EndpointsFacts{New: merged, Stored: merged, Mons: mons, GaveUp: reason.HoldTimedOut})
		require.Equal(t, rook.Allow.String(), second.Action.String())
		require.Nil(t, second.Corrected)
	})
}

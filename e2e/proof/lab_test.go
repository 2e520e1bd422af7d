package proof_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
)

// The network namespaces of a lab, and what there is in east.
const (
	labEast, labWest = "probe-east", "probe-west"

	labMon = "242.0.0.10"
	// labOSD is the global IP of the OSD, labPod that of its pod, and labOther a global IP that also leads there.
	labOSD, labPod, labOther = "242.0.0.20", "10.244.0.20", "242.0.0.21"
	// labWeb is where a server listens at the port of a mon, labNobody where nobody does.
	labWeb, labNobody = "242.0.0.66", "242.0.0.99"
	// labEgress is the global IP of the probe, labWire its address that is not global.
	labEgress, labWire = "242.1.0.5", "10.99.0.2"
)

// lab is one real mon and one real OSD in east, a wire, and nothing in west.
type lab struct {
	t *testing.T
	// root is a root directory with Ceph in it, of which nothing is kept.
	root string
	// program is rook-clusterset.
	program string
}

func newLab(t *testing.T) lab {
	t.Helper()
	programs := need(node.Assets(t.Context()))(t)
	dir := t.TempDir()
	l := lab{t: t, root: filepath.Join(dir, "root"), program: filepath.Join(dir, "rook-clusterset")}
	l.run("go", "build", "-o", l.program, "../..")
	l.mount(filepath.Join(programs, "ceph-root"), dir)
	l.wire()
	l.startMon()
	l.startOSD()
	l.start("web", "python3", "-m", "http.server", "3300", "--bind", labWeb)
	return l
}

// mount lays a directory that is forgotten over Ceph's root directory.
func (l lab) mount(lower, dir string) {
	upper, work := filepath.Join(dir, "top", "upper"), filepath.Join(dir, "top", "work")
	require.NoError(l.t, os.MkdirAll(filepath.Join(dir, "top"), 0o755))
	l.runUntilEnd([]string{"mount", "-t", "tmpfs", "tmpfs", filepath.Join(dir, "top")}, "umount", "-l", filepath.Join(dir, "top"))
	for _, d := range []string{upper, work, l.root} {
		require.NoError(l.t, os.MkdirAll(d, 0o755))
	}
	overlay := fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", lower, upper, work)
	l.runUntilEnd([]string{"mount", "-t", "overlay", "-o", overlay, "overlay", l.root}, "umount", "-l", l.root)
	for kind, where := range map[string]string{"proc": "proc", "tmpfs": "run"} {
		l.runUntilEnd([]string{"mount", "-t", kind, kind, filepath.Join(l.root, where)}, "umount", "-l", filepath.Join(l.root, where))
	}
	l.runUntilEnd([]string{"mount", "--bind", "/dev", filepath.Join(l.root, "dev")}, "umount", "-l", filepath.Join(l.root, "dev"))
}

// wire connects west with east, where global IPs lead to what they stand for as Globalnet's rules do it.
func (l lab) wire() {
	for _, ns := range []string{labEast, labWest} {
		_ = exec.Command("ip", "netns", "del", ns).Run()
		l.runUntilEnd([]string{"ip", "netns", "add", ns}, "ip", "netns", "del", ns)
		l.in(ns, "ip", "link", "set", "lo", "up")
	}
	l.in(labEast, "ip", "link", "add", "wire", "type", "veth", "peer", "name", "wire", "netns", labWest)
	for ns, address := range map[string]string{labEast: "10.99.0.1", labWest: labWire} {
		l.in(ns, "ip", "addr", "add", address+"/30", "dev", "wire")
		l.in(ns, "ip", "link", "set", "wire", "up")
	}
	for _, address := range []string{labMon, labPod, labWeb, labNobody} {
		l.in(labEast, "ip", "addr", "add", address+"/32", "dev", "lo")
	}
	for _, global := range []string{labOSD, labOther} {
		for _, chain := range []string{"PREROUTING", "OUTPUT"} {
			l.in(labEast, "iptables", "-w", "-t", "nat", "-A", chain, "-d", global, "-j", "DNAT", "--to-destination", labPod)
		}
	}
	l.in(labEast, "ip", "route", "add", "242.1.0.0/16", "via", labWire)
	l.in(labEast, "ip", "route", "add", labOSD+"/31", "dev", "lo", "src", labPod)
	l.in(labWest, "ip", "addr", "add", labEgress+"/32", "dev", "lo")
	l.in(labWest, "ip", "route", "add", "242.0.0.0/16", "via", "10.99.0.1", "src", labEgress)
}

// cephArgs are those of every program of Ceph: no configuration but this, and the log where it can be read.
func cephArgs(args ...string) []string {
	return append(args, "--conf=/dev/null", "--fsid=11111111-2222-3333-4444-555555555555", "--mon-host="+monsAddresses,
		"--log-to-file=false", "--log-to-stderr=true")
}

const monsAddresses = "[v2:" + labMon + ":3300,v1:" + labMon + ":6789]"

func (l lab) startMon() {
	l.ceph("ceph-authtool", "--create-keyring", "/keyring", "--gen-key", "--name=mon.", "--cap", "mon", "allow *")
	l.ceph("ceph-authtool", "/keyring", "--gen-key", "--name=client.admin", "--cap", "mon", "allow *", "--cap", "osd", "allow *")
	l.ceph("monmaptool", "--create", "--fsid=11111111-2222-3333-4444-555555555555", "--addv", "a", monsAddresses, "/monmap")
	l.ceph("ceph-mon", cephArgs("--mkfs", "--id=a", "--keyring=/keyring", "--monmap=/monmap", "--mon-data=/mon")...)
	l.start("mon", "ceph-mon", cephArgs("-f", "--id=a", "--keyring=/keyring", "--mon-data=/mon", "--public-addr="+labMon)...)
}

func (l lab) startOSD() {
	const uuid = "22222222-2222-3333-4444-555555555555"
	admin := func(args ...string) []string {
		return cephArgs(append([]string{"--name=client.admin", "--keyring=/keyring", "--connect-timeout=60"}, args...)...)
	}
	l.ceph("ceph", admin("osd", "new", uuid)...)
	l.ceph("ceph", admin("auth", "get-or-create", "osd.0", "mon", "allow profile osd", "osd", "allow *", "-o", "/osd.keyring")...)
	osd := cephArgs("--id=0", "--osd-data=/osd", "--keyring=/osd.keyring", "--osd-objectstore=memstore", "--memstore-device-bytes=67108864")
	require.NoError(l.t, os.Mkdir(filepath.Join(l.root, "osd"), 0o755))
	l.ceph("ceph-osd", append([]string{"--mkfs", "--osd-uuid=" + uuid}, osd...)...)
	l.start("osd", "ceph-osd", append([]string{
		"-f", "--public-addr=" + labOSD, "--public-bind-addr=" + labPod, "--cluster-addr=" + labPod,
	}, osd...)...)
	require.NoError(l.t, until(l.t.Context(), time.Minute, func() error {
		out := l.ceph("ceph", admin("osd", "dump")...)
		if !strings.Contains(out, "osd.0 up") {
			return fmt.Errorf("the OSD is not up: %s", out)
		}
		return nil
	}))
}

// ceph runs a program of Ceph in east to its end, and returns what it printed.
func (l lab) ceph(program string, args ...string) string {
	return l.in(labEast, append([]string{"chroot", l.root, program}, args...)...)
}

// start runs a program in east until the test ends.
func (l lab) start(what, program string, args ...string) {
	ctx, end := context.WithCancel(context.WithoutCancel(l.t.Context()))
	cmd := exec.CommandContext(ctx, "ip", append([]string{"netns", "exec", labEast, "chroot", l.root, program}, args...)...)
	cmd.Stdout, cmd.Stderr = io.Discard, io.Discard
	require.NoError(l.t, cmd.Start(), what)
	l.t.Cleanup(func() {
		end()
		_ = cmd.Wait()
	})
}

func (l lab) in(ns string, command ...string) string {
	return l.run("ip", append([]string{"netns", "exec", ns}, command...)...)
}

func (l lab) run(program string, args ...string) string {
	l.t.Helper()
	cmd := exec.Command(program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(l.t, err, "%s %s: %s%s", program, strings.Join(args, " "), out, lastOf(stderr.String()))
	return string(out)
}

// lastOf returns the end of what a program logged.
func lastOf(log string) string { return log[max(0, len(log)-2000):] }

// runUntilEnd runs one command now, and the other when the test ends.
func (l lab) runUntilEnd(now []string, then ...string) {
	l.run(now[0], now[1:]...)
	l.t.Cleanup(func() { _ = exec.Command(then[0], then[1:]...).Run() })
}

package proof_test

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/node"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

// installTimeout bounds the wait for what is installed to run.
const installTimeout = 3 * time.Minute

//go:embed testdata/cert-manager.yaml
var certManager []byte

// cluster is one of the two Kubernetes clusters, with rook-clusterset installed as a user installs it.
type cluster struct {
	end
	mcs *mcsstandin.Standin
	// dir holds what the node makes, cephRoot is Ceph's root directory.
	dir, cephRoot string
}

// member is what tells one cluster of the clusterset from the other. All else of the two is the same.
type member struct {
	id              string
	global          string
	egress, address string
	peer            mcsstandin.Peer
}

var members = []member{
	{
		id: "east", global: "242.0.0.0/16", egress: "242.0.0.1", address: "198.51.100.1",
		peer: mcsstandin.Peer{ClusterID: "west", GlobalCIDR: netip.MustParsePrefix("242.1.0.0/16")},
	},
	{
		id: "west", global: "242.1.0.0/16", egress: "242.1.0.1", address: "198.51.100.2",
		peer: mcsstandin.Peer{ClusterID: "east", GlobalCIDR: netip.MustParsePrefix("242.0.0.0/16")},
	},
}

// startNode starts the Kubernetes cluster alone.
func startNode(ctx context.Context, m member, p places) (*cluster, error) {
	n, err := node.Start(ctx, node.Options{
		Name: nodeName(m.id), Dir: p.dir(m.id), Programs: p.programs, Images: p.images(),
	})
	if err != nil {
		return nil, fmt.Errorf("start the cluster %s: %w", m.id, err)
	}
	return &cluster{dir: p.dir(m.id), cephRoot: filepath.Join(p.programs, "ceph-root"), end: end{
		node: n, device: "to-peer", address: netip.MustParseAddr(m.address),
		global: netip.MustParsePrefix(m.global), egress: netip.MustParseAddr(m.egress),
	}}, nil
}

// nodeName is a name that nothing else on the machine bears: it is that of a network namespace too.
func nodeName(id string) string { return "clusterset-" + id }

// install installs cert-manager, the MCS implementation and rook-clusterset, and returns when all of it serves.
func (c *cluster) install(ctx context.Context, m member, programs string) error {
	crds := envtest.CRDInstallOptions{Paths: []string{filepath.Join(programs, "crds")}, ErrorIfPathMissing: true}
	if _, err := envtest.InstallCRDs(c.node.Config, crds); err != nil {
		return fmt.Errorf("install cert-manager's CRDs in %s: %w", m.id, err)
	}
	if err := mcsstandin.Install(c.node.Config, mcsstandin.V1Beta1); err != nil {
		return err
	}
	if err := rookstandin.InstallKinds(c.node.Config); err != nil {
		return err
	}
	var err error
	c.mcs, err = mcsstandin.Start(ctx, mcsstandin.Options{
		Config: c.node.Config, ClusterID: m.id, GlobalCIDR: c.global, Peers: []mcsstandin.Peer{m.peer},
		DNSAddress: net.JoinHostPort(c.node.NodeIP.String(), "53"), Inside: c.node.InNetNS,
	})
	if err != nil {
		return err
	}
	for _, manifest := range [][]byte{certManager, settlesSoon(manifests.Install)} {
		if _, err := c.node.Kubectl(ctx, manifest, "apply", "-f", "-"); err != nil {
			return err
		}
	}
	return c.rolledOut(ctx, "rook-clusterset", "deployment/rook-clusterset")
}

// settlesSoon is what an admin changes who does not want to see all well for 30 s before each daemon that is moved.
func settlesSoon(install []byte) []byte {
	const args = "- args:\n        - manager\n"
	if !bytes.Contains(install, []byte(args)) {
		panic("the manifest of the Deployment has other arguments")
	}
	return bytes.Replace(install, []byte(args), []byte(args+"        - --migrate-settle=3s\n"), 1)
}

// rolledOut waits until a Deployment serves; with what its pods said if it does not.
func (c *cluster) rolledOut(ctx context.Context, namespace, deployment string) error {
	_, err := c.node.Kubectl(ctx, nil, "-n", namespace, "rollout", "status", deployment, "--timeout="+installTimeout.String())
	if err == nil {
		return nil
	}
	pods, _ := c.node.Kubectl(ctx, nil, "-n", namespace, "describe", "pods")
	logs, _ := c.node.Kubectl(ctx, nil, "-n", namespace, "logs", deployment, "--tail=20", "--all-pods=true")
	return fmt.Errorf("%w\n%s\n%s", err, pods, logs)
}

// places is where things are found and put.
type places struct {
	// root holds everything that a run makes, programs what is built once, image the archive of rook-clusterset's image.
	root, programs, image string
}

func findPlaces(ctx context.Context) (places, error) {
	p := places{root: rootDir, image: os.Getenv(imageVariable)}
	if _, err := os.Stat(p.image); err != nil {
		return places{}, fmt.Errorf("%s names no archive (make e2e sets it): %w", imageVariable, err)
	}
	var err error
	p.programs, err = node.Assets(ctx)
	return p, err
}

// imageVariable names the archive of rook-clusterset's own image.
const imageVariable = "ROOK_CLUSTERSET_IMAGE"

// rootDir is always the same, so that the next run finds what a run left that was cut off.
const rootDir = "/var/tmp/rook-clusterset-proof"

func (p places) dir(id string) string { return filepath.Join(p.root, id) }

func (p places) images() []string {
	var images []string
	for _, name := range []string{"pause.tar", "cert-manager.tar", "ceph.tar"} {
		images = append(images, filepath.Join(p.programs, name))
	}
	return append(images, p.image)
}

// oneLine folds what a program printed.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

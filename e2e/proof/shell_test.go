package proof_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/node"
)

// access is what a client of a Ceph cluster is given: where its mons are, and the key of its administrator.
type access struct{ monHost, key string }

var keyLine = regexp.MustCompile(`key\s*=\s*(\S+)`)

// readAccess reads it from the two Secrets that Rook writes for its daemons.
func readAccess(ctx context.Context, c client.Reader, namespace string) (access, error) {
	var config, keyring corev1.Secret
	for name, secret := range map[string]*corev1.Secret{"rook-ceph-config": &config, "rook-ceph-admin-keyring": &keyring} {
		if err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, secret); err != nil {
			return access{}, fmt.Errorf("read how to reach the Ceph cluster of %s: %w", namespace, err)
		}
	}
	key := keyLine.FindSubmatch(keyring.Data["keyring"])
	if key == nil {
		return access{}, errors.New("Secret rook-ceph-admin-keyring holds no key")
	}
	return access{monHost: string(config.Data["mon_host"]), key: string(key[1])}, nil
}

// shell runs programs in a pod, against the Ceph cluster that it has access to.
type shell struct {
	node           *node.Node
	namespace, pod string
	access         access
	// patience is how long a program may take: 2 minutes by default.
	patience time.Duration
}

// Run implements realceph.Client.
func (s shell) Run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	command := []string{
		"timeout", "--kill-after=5", strconv.Itoa(int(cmp.Or(s.patience, 2*time.Minute).Seconds())),
		"env", "CEPH_CONF=/dev/null", "CEPH_ARGS=--name=client.admin --mon-host=" + s.access.monHost + " --key=" + s.access.key,
	}
	return s.node.Exec(ctx, s.namespace, s.pod, "toolbox", stdin, append(command, args...)...)
}

// to returns the same pod with access to another cluster.
func (s shell) to(a access) shell {
	s.access = a
	return s
}

// at returns the same that knows of one mon alone.
func (s shell) at(mon netip.Addr) shell {
	s.access.monHost = monHost(mon)
	return s
}

// within returns the same with that much patience.
func (s shell) within(patience time.Duration) shell {
	s.patience = patience
	return s
}

// startToolbox starts a pod that has the programs of Ceph and no configuration, and returns a shell in it.
func startToolbox(ctx context.Context, n *node.Node, namespace string) (shell, error) {
	s := shell{node: n, namespace: namespace, pod: "toolbox"}
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.pod},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: new(int64(0)),
			Containers: []corev1.Container{{
				Name: "toolbox", Image: node.CephImage, ImagePullPolicy: corev1.PullNever,
				Command: []string{"sleep", "infinity"},
			}},
		},
	}
	if err := n.Client.Create(ctx, pod); err != nil {
		return shell{}, fmt.Errorf("create the toolbox of %s: %w", namespace, err)
	}
	_, err := n.Kubectl(ctx, nil, "-n", namespace, "wait", "--for=condition=Ready", "pod/"+s.pod, "--timeout=90s")
	return s, err
}

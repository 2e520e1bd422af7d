package measure

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
)

// Cluster is a CephCluster, and the client of the Rook operator that runs it.
type Cluster struct {
	Namespace string
	World     *world.World
	Rook      client.Client
	stored    *unstructured.Unstructured
	templates
}

const clusterName = "my-cluster"

// Enabled returns the labels of a namespace that is switched on.
func Enabled() map[string]string { return map[string]string{"rook-clusterset.io/enabled": "true"} }

// NewCluster makes a CephCluster with nothing in it. In a namespace that is not switched on it stays as Rook makes it.
func NewCluster(ctx context.Context, w *world.World, namespace string, labels map[string]string) (*Cluster, error) {
	ns := &corev1.Namespace{}
	ns.Name, ns.Labels = namespace, labels
	if err := w.Plane.Client.Create(ctx, ns); err != nil {
		return nil, fmt.Errorf("create Namespace %s: %w", namespace, err)
	}
	if err := rookstandin.Install(ctx, w.Plane.Config, namespace); err != nil {
		return nil, err
	}
	ceph := rookstandin.NewCephCluster(namespace, clusterName)
	if err := w.Plane.Client.Create(ctx, ceph); err != nil {
		return nil, fmt.Errorf("create CephCluster %s/%s: %w", namespace, clusterName, err)
	}
	return clusterOf(ctx, w, ceph)
}

func clusterOf(ctx context.Context, w *world.World, ceph *unstructured.Unstructured) (*Cluster, error) {
	c := &Cluster{Namespace: ceph.GetNamespace(), World: w, stored: ceph}
	var err error
	if c.templates, err = readTemplates(ctx); err != nil {
		return nil, err
	}
	if c.Rook, err = client.New(c.OperatorConfig(), client.Options{Scheme: scheme.Scheme}); err != nil {
		return nil, fmt.Errorf("make the client of Rook's operator: %w", err)
	}
	return c, nil
}

// OwnerReferences returns those of what the CephCluster controls.
func (c *Cluster) OwnerReferences() []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(c.stored, rookstandin.CephClusterKind)}
}

// OperatorConfig returns that of a client of Rook's operator.
func (c *Cluster) OperatorConfig() *rest.Config {
	config := rest.CopyConfig(c.World.Plane.Config)
	config.QPS = -1
	config.Impersonate = rest.ImpersonationConfig{
		UserName: "system:serviceaccount:" + c.Namespace + ":" + rookstandin.OperatorServiceAccount,
		Groups:   []string{"system:serviceaccounts", "system:serviceaccounts:" + c.Namespace, "system:authenticated"},
	}
	return config
}

// NewClusterWithMons makes a CephCluster in a namespace that is switched on, and lets the stand-in of Rook's operator
// bring up three mons. Then the operator ends, and the Deployments of the mons become those of real size.
func NewClusterWithMons(ctx context.Context, w *world.World, namespace string) (*Cluster, error) {
	rook, endRook := context.WithCancel(ctx)
	defer endRook()
	site, err := w.NewSite(rook, namespace, true)
	if err != nil {
		return nil, err
	}
	if err := site.CreateCephCluster(ctx); err != nil {
		return nil, err
	}
	if err := site.StartOperator(rook, rookstandin.Options{OSDs: []rookstandin.OSD{}}); err != nil {
		return nil, err
	}
	err = Until(ctx, time.Second, func() (bool, error) { return site.Operator.Reconciled() > 0, nil })
	if err != nil {
		return nil, fmt.Errorf("wait for three mons: %w", err)
	}
	endRook()
	site.Operator.Wait()

	ceph := rookstandin.NewCephCluster(namespace, clusterName)
	if err := w.Plane.Client.Get(ctx, client.ObjectKeyFromObject(ceph), ceph); err != nil {
		return nil, fmt.Errorf("read CephCluster %s/%s: %w", namespace, clusterName, err)
	}
	c, err := clusterOf(ctx, w, ceph)
	if err != nil {
		return nil, err
	}
	for _, id := range []string{"a", "b", "c"} {
		address, _ := site.Ceph.Advertised(id)
		d, err := c.monDeployment(id, address.String())
		if err != nil {
			return nil, err
		}
		if err := c.Rook.Update(ctx, d); err != nil {
			return nil, fmt.Errorf("update mon %s: %w", id, err)
		}
	}
	return c, nil
}

// Node is a node with the OSDs that its prepare Job reports.
type Node struct {
	Name string
	OSDs []int
}

// NodesOf spreads OSDs over nodes, whose names are none of those that the stand-in of the operator reports OSDs of.
func NodesOf(osds, perNode int) []Node {
	var nodes []Node
	for id := range osds {
		if id%perNode == 0 {
			nodes = append(nodes, Node{Name: fmt.Sprintf("host-%d", len(nodes))})
		}
		last := &nodes[len(nodes)-1]
		last.OSDs = append(last.OSDs, id)
	}
	return nodes
}

// written is the pause that was seen between a prepare that is complete and the first Deployment.
const written = 22 * time.Millisecond

// Provision brings up the OSDs of the nodes in Rook's order: node after node, and on each what the prepare Job tells,
// then one Deployment after the other.
func (c *Cluster) Provision(ctx context.Context, nodes []Node) error {
	for _, n := range nodes {
		if err := c.provisionNode(ctx, n); err != nil {
			return fmt.Errorf("bring up the OSDs of %s: %w", n.Name, err)
		}
	}
	return nil
}

func (c *Cluster) provisionNode(ctx context.Context, n Node) error {
	told, err := c.prepare(ctx, n)
	if err != nil {
		return err
	}
	if err := Pause(ctx, written); err != nil {
		return err
	}
	for _, id := range n.OSDs {
		if _, err := c.createOSD(ctx, n.Name, id); err != nil {
			return err
		}
	}
	if err := c.Rook.Delete(ctx, told); err != nil {
		return fmt.Errorf("delete ConfigMap %s: %w", told.Name, err)
	}
	return nil
}

// prepare is what a prepare Job tells of a node: an OSD that none has named is brought into being by nobody.
func (c *Cluster) prepare(ctx context.Context, n Node) (*corev1.ConfigMap, error) {
	told := &corev1.ConfigMap{}
	told.Namespace, told.Name = c.Namespace, "rook-ceph-osd-"+n.Name+"-status"
	told.Labels = map[string]string{"app": "rook-ceph-osd", "node": n.Name, "status": "provisioning"}
	told.OwnerReferences = c.OwnerReferences()
	told.Data = map[string]string{"status": `{"osds":null,"status":"starting","pvc-backed-osd":false,"message":""}`}
	if err := c.Rook.Create(ctx, told); err != nil {
		return nil, fmt.Errorf("create ConfigMap %s: %w", told.Name, err)
	}
	told.Data["status"] = completed(n)
	if err := c.Rook.Update(ctx, told); err != nil {
		return nil, fmt.Errorf("update ConfigMap %s: %w", told.Name, err)
	}
	return told, nil
}

// completed is what the prepare Job writes at its end.
func completed(n Node) string {
	var osds []string
	for _, id := range n.OSDs {
		osds = append(osds, fmt.Sprintf(`{"id":%d,"cluster":"ceph","uuid":"8c04c316-726b-4cd2-a906-%012d","device-part-uuid":"","device-class":"hdd",`+
			`"lv-path":"/dev/vdb","metadata-path":"","wal-path":"","skip-lv-release":true,"location":"root=default host=%s",`+
			`"lv-backed-pv":false,"lv-mode":"raw","store":"bluestore"}`, id, id, n.Name))
	}
	return `{"osds":[` + strings.Join(osds, ",") + `],"status":"completed","pvc-backed-osd":false,"message":""}`
}

// CreateOSD creates an OSD as Rook does, after its prepare Job has named it, and returns how long the request took.
func (c *Cluster) CreateOSD(ctx context.Context, node string, id int) (time.Duration, error) {
	if err := c.PrepareOSD(ctx, node, id); err != nil {
		return 0, err
	}
	return c.createOSD(ctx, node, id)
}

// PrepareOSD has a prepare Job name an OSD, which may be named already.
func (c *Cluster) PrepareOSD(ctx context.Context, node string, id int) error {
	_, err := c.prepare(ctx, Node{Name: fmt.Sprintf("%s-%d", node, id), OSDs: []int{id}})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

func (c *Cluster) createOSD(ctx context.Context, node string, id int) (time.Duration, error) {
	return c.writeOSD(node, id, func(d *appsv1.Deployment) error { return c.Rook.Create(ctx, d) })
}

// UpdateOSD puts what Rook would put, and returns how long the request took: without the address, and without the revision that Kubernetes noted.
func (c *Cluster) UpdateOSD(ctx context.Context, node string, id int) (time.Duration, error) {
	return c.writeOSD(node, id, func(d *appsv1.Deployment) error { return c.Rook.Update(ctx, d) })
}

func (c *Cluster) writeOSD(node string, id int, write func(*appsv1.Deployment) error) (time.Duration, error) {
	d, err := c.OSD(node, id)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	if err := write(d); err != nil {
		return 0, fmt.Errorf("write OSD %d: %w", id, err)
	}
	return time.Since(started), nil
}

// OSDs returns the Deployments of all OSDs that are stored.
func (c *Cluster) OSDs(ctx context.Context) ([]appsv1.Deployment, error) {
	list := &appsv1.DeploymentList{}
	if err := c.Rook.List(ctx, list, client.InNamespace(c.Namespace), client.MatchingLabels{"app": "rook-ceph-osd"}); err != nil {
		return nil, fmt.Errorf("list the OSDs: %w", err)
	}
	return list.Items, nil
}

// EveryOSDAdvertises fails unless each of the OSDs has the global IP that its Service was given.
func (c *Cluster) EveryOSDAdvertises(ctx context.Context, osds int) error {
	stored, err := c.OSDs(ctx)
	if err != nil {
		return err
	}
	if len(stored) != osds {
		return fmt.Errorf("%d OSDs are stored, not %d", len(stored), osds)
	}
	var wrong []error
	for _, d := range stored {
		given, ok := c.World.MCS.GlobalIP(c.Namespace, d.Name)
		if told := Advertises(&d); !ok || told != given.String() {
			wrong = append(wrong, fmt.Errorf("%s advertises %q, its Service was given %s", d.Name, told, given))
		}
	}
	return errors.Join(wrong...)
}

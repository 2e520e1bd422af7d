package measure

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
)

// templates are the Deployments of Rook 1.20.6 that the golden tests of the rewrite have too: OSD 3 on a node, and mon a.
type templates struct{ osd, mon string }

const (
	// lastApplied holds a zip archive of the Deployment; the golden files have it shortened.
	lastApplied     = "banzaicloud.com/last-applied"
	lastAppliedSize = 4096

	templateUID = "0f8b1c9e-8d2f-4b52-9d5e-2c1d7f3a9b40"
	// The node in its two spellings: of the topology, and of Kubernetes.
	templateHost, templateNode = "node-b-example-net", "node-b.example.net"
)

func readTemplates(ctx context.Context) (templates, error) {
	root, err := assets.ModuleRoot(ctx)
	if err != nil {
		return templates{}, err
	}
	var texts [2]string
	for i, name := range []string{"osd-v1.20.6-node.in.yaml", "mon-v1.20.6-after-reload.in.yaml"} {
		text, err := os.ReadFile(filepath.Join(root, "rook", "testdata", name))
		if err != nil {
			return templates{}, fmt.Errorf("read a Deployment of real size: %w", err)
		}
		texts[i] = string(text)
	}
	return templates{osd: texts[0], mon: texts[1]}, nil
}

// OSDName returns the name of the Deployment, Service and export of an OSD.
func OSDName(id int) string { return "rook-ceph-osd-" + strconv.Itoa(id) }

// OSD returns what Rook writes for an OSD: the args have no address.
func (c *Cluster) OSD(node string, id int) (*appsv1.Deployment, error) {
	number := strconv.Itoa(id)
	return c.fill(strings.NewReplacer(
		"'3'", "'"+number+"'", "osd-3", "osd-"+number, "ceph-osd.3.", "ceph-osd."+number+".", "ceph-3", "ceph-"+number,
		templateHost, node, templateNode, node).Replace(c.osd))
}

// monDeployment returns what Rook writes for a mon that it knows at the address.
func (c *Cluster) monDeployment(id, address string) (*appsv1.Deployment, error) {
	return c.fill(strings.NewReplacer(
		"mon-a", "mon-"+id, "ceph-a", "ceph-"+id, "ceph-mon.a.", "ceph-mon."+id+".", "--id=a", "--id="+id, "mon: a", "mon: "+id,
		"ceph_daemon_id: a", "ceph_daemon_id: "+id, "instance: a", "instance: "+id, "242.0.0.10", address).Replace(c.mon))
}

func (c *Cluster) fill(text string) (*appsv1.Deployment, error) {
	d := &appsv1.Deployment{}
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(text, templateUID, string(c.stored.GetUID()))), d); err != nil {
		return nil, fmt.Errorf("read a Deployment of real size: %w", err)
	}
	d.Namespace, d.Spec.Template.Namespace, d.OwnerReferences = c.Namespace, c.Namespace, c.OwnerReferences()
	for _, labels := range []map[string]string{d.Labels, d.Spec.Selector.MatchLabels, d.Spec.Template.Labels} {
		labels["rook_cluster"] = c.Namespace
		if _, isMon := labels["mon_cluster"]; isMon {
			labels["mon_cluster"] = c.Namespace
		}
	}
	d.Annotations[lastApplied] = strings.Repeat("UEsDBBQACAgIAAAA", lastAppliedSize/16)
	return d, nil
}

// Advertises returns the address that the OSD is told to advertise, "" if there is none.
func Advertises(d *appsv1.Deployment) string {
	for _, arg := range d.Spec.Template.Spec.Containers[0].Args {
		if address, ok := strings.CutPrefix(arg, "--public-addr="); ok {
			return address
		}
	}
	return ""
}

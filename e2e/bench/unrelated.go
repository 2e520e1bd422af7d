package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// added is what objects of a kind that are no business of ours added to the memory of the replicas.
type added struct {
	kind          string
	count         int
	before, after []measure.Usage
}

const (
	unrelatedNamespaces = 9
	unrelatedWriters    = 16
)

// addUnrelated adds objects of each kind, a tenth of them in the namespace of Rook.
func addUnrelated(
	ctx context.Context, ceph *measure.Cluster, pair []*controlplane.Replica, before []measure.Usage, count int, settle time.Duration,
) ([]added, error) {
	plane, namespaces := ceph.World.Plane, []string{ceph.Namespace}
	for i := range unrelatedNamespaces {
		ns := &corev1.Namespace{}
		ns.Name = "unrelated-" + strconv.Itoa(i)
		if err := plane.Client.Create(ctx, ns); err != nil {
			return nil, fmt.Errorf("create Namespace %s: %w", ns.Name, err)
		}
		namespaces = append(namespaces, ns.Name)
	}
	var all []added
	for _, kind := range []struct {
		name string
		of   func(metav1.ObjectMeta) client.Object
	}{{"Deployments", unrelatedDeployment}, {"Services", unrelatedService}, {"ConfigMaps", unrelatedConfigMap}} {
		err := measure.Crowd(ctx, plane, unrelatedWriters, count, func(i int) client.Object {
			name := "app-" + strconv.Itoa(i)
			return kind.of(metav1.ObjectMeta{Namespace: namespaces[i%len(namespaces)], Name: name, Labels: map[string]string{"app": name}})
		})
		if err != nil {
			return nil, err
		}
		after, err := measure.Quiet(ctx, settle, pair...)
		if err != nil {
			return nil, err
		}
		all = append(all, added{kind.name, count, before, after})
		before = after
	}
	return all, nil
}

func unrelatedDeployment(meta metav1.ObjectMeta) client.Object {
	return measure.Paused(meta, corev1.Container{
		Name: "app", Image: "registry.example/app:1", Args: []string{"--verbose", "--name=" + meta.Name},
		Env: []corev1.EnvVar{{Name: "NAME", Value: meta.Name}},
	})
}

// unrelatedService is headless, so that no ClusterIP has to be found for it, which takes longer than the rest.
func unrelatedService(meta metav1.ObjectMeta) client.Object {
	return &corev1.Service{ObjectMeta: meta, Spec: corev1.ServiceSpec{ClusterIP: corev1.ClusterIPNone, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}}}
}

func unrelatedConfigMap(meta metav1.ObjectMeta) client.Object {
	return &corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"settings": "name: " + meta.Name + "\nverbose: true\n"}}
}

func reportUnrelated(r *measure.Report, c cost) {
	rows := [][]string{{"objects of no concern", "leader before, after", "other before, after"}}
	for _, a := range c.unrelated {
		row := []string{fmt.Sprintf("%d %s", a.count, a.kind)}
		for i := range a.before {
			row = append(row, measure.Mebibytes(a.before[i].Resident)+", "+measure.Mebibytes(a.after[i].Resident))
		}
		rows = append(rows, row)
	}
	r.Table(fmt.Sprintf("Resident memory with %d OSDs and with what is unrelated", c.osds), rows...)
	for _, a := range c.unrelated {
		grown := max(growth(a, leader), growth(a, other))
		r.Bar(fmt.Sprintf("memory that %d unrelated %s add", a.count, a.kind), grown, mostAdded, " %")
	}
}

func growth(a added, of int) float64 {
	return 100 * float64(a.after[of].Resident-a.before[of].Resident) / float64(a.before[of].Resident)
}

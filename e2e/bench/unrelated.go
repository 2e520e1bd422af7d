package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// added is what objects of a kind that are no business of ours added to the memory of the replicas.
type added struct {
	kind          string
	count         int
	before, after measure.PairUsage
}

const (
	unrelatedNamespaces = 9
	unrelatedWriters    = 16
)

// addUnrelated adds objects of each kind, a tenth of them in the namespace of Rook.
func addUnrelated(ctx context.Context, ceph *cluster, p measure.Pair, before measure.PairUsage, count int, settle time.Duration) ([]added, error) {
	config := rest.CopyConfig(ceph.World.Plane.Config)
	config.QPS = -1
	c, err := client.New(config, client.Options{Scheme: scheme.Scheme})
	if err != nil {
		return nil, fmt.Errorf("make the client of what is unrelated: %w", err)
	}
	namespaces := []string{ceph.Namespace}
	for i := range unrelatedNamespaces {
		ns := &corev1.Namespace{}
		ns.Name = "unrelated-" + strconv.Itoa(i)
		if err := c.Create(ctx, ns); err != nil {
			return nil, fmt.Errorf("create Namespace %s: %w", ns.Name, err)
		}
		namespaces = append(namespaces, ns.Name)
	}
	var all []added
	for _, kind := range []struct {
		name string
		make func(metav1.ObjectMeta) client.Object
	}{{"Deployments", unrelatedDeployment}, {"Services", unrelatedService}, {"ConfigMaps", unrelatedConfigMap}} {
		a := added{kind: kind.name, count: count, before: before}
		writers, writing := errgroup.WithContext(ctx)
		writers.SetLimit(unrelatedWriters)
		for i := range count {
			writers.Go(func() error {
				name := "app-" + strconv.Itoa(i)
				meta := metav1.ObjectMeta{Namespace: namespaces[i%len(namespaces)], Name: name, Labels: map[string]string{"app": name}}
				if err := c.Create(writing, kind.make(meta)); err != nil {
					return fmt.Errorf("create %s %s/%s: %w", kind.name, meta.Namespace, meta.Name, err)
				}
				return nil
			})
		}
		if err := writers.Wait(); err != nil {
			return nil, err
		}
		if a.after, err = settledUsage(ctx, p, settle); err != nil {
			return nil, err
		}
		before = a.after
		all = append(all, a)
	}
	return all, nil
}

func settledUsage(ctx context.Context, p measure.Pair, settle time.Duration) (measure.PairUsage, error) {
	if _, err := quietUsage(ctx, p); err != nil {
		return measure.PairUsage{}, err
	}
	if err := measure.Pause(ctx, settle); err != nil {
		return measure.PairUsage{}, err
	}
	return p.Usage()
}

// unrelatedDeployment is paused, so that no ReplicaSet is made of it.
func unrelatedDeployment(meta metav1.ObjectMeta) client.Object {
	d := &appsv1.Deployment{ObjectMeta: meta}
	d.Spec.Replicas, d.Spec.Paused = new(int32(0)), true
	d.Spec.Selector = &metav1.LabelSelector{MatchLabels: meta.Labels}
	d.Spec.Template.Labels = meta.Labels
	d.Spec.Template.Spec.Containers = []corev1.Container{{
		Name: "app", Image: "registry.example/app:1", Args: []string{"--verbose", "--name=" + meta.Name},
		Env: []corev1.EnvVar{{Name: "NAME", Value: meta.Name}},
	}}
	return d
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
		rows = append(rows, []string{
			fmt.Sprintf("%d %s", a.count, a.kind),
			measure.Mebibytes(a.before.Leader.Resident) + ", " + measure.Mebibytes(a.after.Leader.Resident),
			measure.Mebibytes(a.before.Other.Resident) + ", " + measure.Mebibytes(a.after.Other.Resident),
		})
	}
	r.Table(fmt.Sprintf("Resident memory with %d OSDs and with what is unrelated", c.osds), rows...)
	for _, a := range c.unrelated {
		grown := max(growth(a.before.Leader, a.after.Leader), growth(a.before.Other, a.after.Other))
		r.Bar(fmt.Sprintf("memory that %d unrelated %s add", a.count, a.kind), grown, mostAdded, " %")
	}
}

func growth(before, after measure.Usage) float64 {
	return 100 * float64(after.Resident-before.Resident) / float64(before.Resident)
}

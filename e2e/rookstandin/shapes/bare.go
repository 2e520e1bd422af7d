package shapes

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// MakeBare returns a Deployment of the shape with its containers, their commands, arguments and environments, and without what is
// only for a kubelet: a model has none, and most of what is written to it would be that.
func MakeBare(c *Cluster, shape string, v Values) *appsv1.Deployment {
	return makeAnd(c, shape, v, "bare ", func(d *appsv1.Deployment) {
		pod := &d.Spec.Template.Spec
		pod.Volumes, pod.Affinity, pod.Tolerations, pod.SecurityContext = nil, nil, nil, nil
		for _, containers := range [][]corev1.Container{pod.InitContainers, pod.Containers} {
			for i, c := range containers {
				containers[i] = corev1.Container{Name: c.Name, Image: c.Image, Command: c.Command, Args: c.Args, EnvFrom: c.EnvFrom, Env: c.Env}
			}
		}
	})
}

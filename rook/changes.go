package rook

import (
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

// Changes are what makes a Deployment advertise an address. They can touch nothing but the arguments and the environment
// of the containers that they name, whatever fields a newer API server knows.
type Changes []containerChange

// Operation is a step of a JSON patch (RFC 6902).
type Operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// containerChange is what one container is to become.
type containerChange struct {
	place
	oldArgs, newArgs []string
	addPodIP         bool
	// firstEnv says that there is no environment yet to add a variable to.
	firstEnv bool
}

// place is where a container stands in its pod.
type place struct {
	list  containerList
	index int
}

// containerList is a list of containers of a pod, by the name of its field.
type containerList string

const (
	initContainers containerList = "initContainers"
	containers     containerList = "containers"
)

func (l containerList) of(pod *corev1.PodSpec) []corev1.Container {
	if l == initContainers {
		return pod.InitContainers
	}
	return pod.Containers
}

// Apply makes the changes in the Deployment for which they were planned, or in a copy of it.
func (c Changes) Apply(d *appsv1.Deployment) {
	for _, change := range c {
		container := &change.list.of(&d.Spec.Template.Spec)[change.index]
		container.Args = slices.Clone(change.newArgs)
		if change.addPodIP {
			container.Env = append(slices.Clip(container.Env), podIPEnvVar())
		}
	}
}

// Operations returns the changes as a patch of the Deployment for which they were planned. It names only the arguments
// that differ.
func (c Changes) Operations() []Operation {
	var operations []Operation
	for _, change := range c {
		operations = change.appendTo(operations)
	}
	return operations
}

func (c containerChange) appendTo(operations []Operation) []Operation {
	add := func(op, path string, value any) {
		operations = append(operations, Operation{Op: op, Path: path, Value: value})
	}
	container := "/spec/template/spec/" + string(c.list) + "/" + strconv.Itoa(c.index)
	args := container + "/args/"
	both := min(len(c.oldArgs), len(c.newArgs))
	for i := range both {
		if c.oldArgs[i] != c.newArgs[i] {
			add("replace", args+strconv.Itoa(i), c.newArgs[i])
		}
	}
	// From the end, so that no removal moves what is removed next.
	for i := len(c.oldArgs) - 1; i >= both; i-- {
		add("remove", args+strconv.Itoa(i), nil)
	}
	for _, arg := range c.newArgs[both:] {
		add("add", args+"-", arg)
	}
	switch {
	case c.addPodIP && c.firstEnv:
		add("add", container+"/env", []corev1.EnvVar{podIPEnvVar()})
	case c.addPodIP:
		add("add", container+"/env/-", podIPEnvVar())
	}
	return operations
}

func podIPEnvVar() corev1.EnvVar {
	return corev1.EnvVar{Name: podIPEnv, ValueFrom: &corev1.EnvVarSource{
		FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"},
	}}
}

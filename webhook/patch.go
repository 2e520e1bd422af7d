package webhook

import (
	"encoding/json"
	"fmt"
	"strconv"

	"gomodules.xyz/jsonpatch/v2"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
)

// deploymentPatch turns before into after, which may differ in the args and the env of containers: nothing else of a
// Deployment can be changed through it, whatever the rewrite does and whatever fields a newer API server knows.
func deploymentPatch(before, after *appsv1.Deployment) []jsonpatch.Operation {
	const pod = "/spec/template/spec/"
	was, is := &before.Spec.Template.Spec, &after.Spec.Template.Spec
	return append(containersPatch(pod+"initContainers/", was.InitContainers, is.InitContainers),
		containersPatch(pod+"containers/", was.Containers, is.Containers)...)
}

func containersPatch(path string, before, after []corev1.Container) []jsonpatch.Operation {
	var patch []jsonpatch.Operation
	for i := range before {
		container := path + strconv.Itoa(i)
		patch = append(patch, listPatch(container+"/args", before[i].Args, after[i].Args, sameArg)...)
		patch = append(patch, listPatch(container+"/env", before[i].Env, after[i].Env, sameEnv)...)
	}
	return patch
}

func sameArg(a, b string) bool { return a == b }

func sameEnv(a, b corev1.EnvVar) bool {
	return a.Name == b.Name && a.Value == b.Value && equality.Semantic.DeepEqual(a.ValueFrom, b.ValueFrom)
}

func listPatch[T any](path string, before, after []T, same func(T, T) bool) []jsonpatch.Operation {
	if len(before) == 0 && len(after) > 0 {
		return []jsonpatch.Operation{jsonpatch.NewOperation("add", path, after)}
	}
	var patch []jsonpatch.Operation
	both := min(len(before), len(after))
	for i := range both {
		if !same(before[i], after[i]) {
			patch = append(patch, jsonpatch.NewOperation("replace", path+"/"+strconv.Itoa(i), after[i]))
		}
	}
	for i := len(before) - 1; i >= both; i-- {
		patch = append(patch, jsonpatch.NewOperation("remove", path+"/"+strconv.Itoa(i), nil))
	}
	for _, value := range after[both:] {
		patch = append(patch, jsonpatch.NewOperation("add", path+"/-", value))
	}
	return patch
}

// objectPatch turns before into after. It compares the two as our Go types write them, never with what the API server
// sent: a field that these types do not know is in neither, so that it stays.
func objectPatch(before, after any) ([]jsonpatch.Operation, error) {
	was, err := json.Marshal(before)
	if err != nil {
		return nil, fmt.Errorf("encode the object as it came: %w", err)
	}
	is, err := json.Marshal(after)
	if err != nil {
		return nil, fmt.Errorf("encode the corrected object: %w", err)
	}
	patch, err := jsonpatch.CreatePatch(was, is)
	if err != nil {
		return nil, fmt.Errorf("compare the corrected object with the object as it came: %w", err)
	}
	return patch, nil
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// apiServer is as much of an API server as the writes of a story need: admission, names, versions, ClusterIPs.
type apiServer struct {
	live
	world      *world
	clusterIPs netip.Prefix
	lastIP     netip.Addr
}

// Scheme implements client.Client.
func (a *apiServer) Scheme() *runtime.Scheme { return scheme.Scheme }

// SubResource implements client.Client.
func (a *apiServer) SubResource(string) client.SubResourceClient { return statusWriter{api: a} }

// Status implements client.Client.
func (a *apiServer) Status() client.SubResourceWriter { return statusWriter{api: a} }

// Create implements client.Client.
func (a *apiServer) Create(ctx context.Context, o client.Object, _ ...client.CreateOption) error {
	gk := kindOf(o)
	if gk.Kind == "Event" {
		return nil
	}
	foldSecret(o)
	key := client.ObjectKeyFromObject(o)
	created, _, err := a.world.admit(ctx, o, nil)
	if err != nil {
		return err
	}
	if a.store.get(gk, key) != nil {
		return apierrors.NewAlreadyExists(resourceOf(gk), key.Name)
	}
	if created == o {
		created, _ = o.DeepCopyObject().(client.Object)
	}
	if err := a.giveClusterIP(created); err != nil {
		return err
	}
	created.SetUID(a.store.newUID())
	created.SetCreationTimestamp(a.world.timestamp())
	created.SetGeneration(1)
	a.store.put(gk, key, created)
	fill(o, created.DeepCopyObject())
	a.world.seeStored(ctx, nil, created)
	return nil
}

// Update implements client.Client.
func (a *apiServer) Update(ctx context.Context, o client.Object, _ ...client.UpdateOption) error {
	gk, key := kindOf(o), client.ObjectKeyFromObject(o)
	foldSecret(o)
	for {
		stored := a.store.get(gk, key)
		if stored == nil {
			return notFound(gk, key.Name)
		}
		if version := o.GetResourceVersion(); version != "" && version != stored.GetResourceVersion() {
			return conflict(gk, key.Name, "it was changed")
		}
		incoming, _ := o.DeepCopyObject().(client.Object)
		if err := completeUpdate(incoming, stored); err != nil {
			return err
		}
		updated, same, err := a.world.admit(ctx, incoming, stored)
		if err != nil {
			return err
		}
		if a.store.get(gk, key) != stored {
			// Somebody else wrote while it was held: the API server begins anew.
			continue
		}
		if !same {
			a.replace(ctx, gk, key, stored, updated)
		}
		fill(o, cmp.Or(a.store.get(gk, key), updated).DeepCopyObject())
		return nil
	}
}

// replace stores what differs, and ends what was only waiting for its last finalizer. What is stored must not be changed by
// whoever made it.
func (a *apiServer) replace(ctx context.Context, gk schema.GroupKind, key types.NamespacedName, stored, updated client.Object) {
	if updated.GetDeletionTimestamp() != nil && len(updated.GetFinalizers()) == 0 {
		a.store.put(gk, key, nil)
		a.world.seeStored(ctx, stored, nil)
		return
	}
	updated.SetResourceVersion(stored.GetResourceVersion())
	if equality.Semantic.DeepEqual(stored, updated) {
		return
	}
	if specDiffers(stored, updated) {
		updated.SetGeneration(stored.GetGeneration() + 1)
	}
	a.store.put(gk, key, updated)
	a.world.seeStored(ctx, stored, updated)
}

// Delete implements client.Client.
func (a *apiServer) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	gk, key := kindOf(o), client.ObjectKeyFromObject(o)
	stored := a.store.get(gk, key)
	if stored == nil {
		return notFound(gk, key.Name)
	}
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	if p := options.Preconditions; p != nil &&
		(p.UID != nil && *p.UID != stored.GetUID() || p.ResourceVersion != nil && *p.ResourceVersion != stored.GetResourceVersion()) {
		return conflict(gk, key.Name, "precondition failed")
	}
	if len(stored.GetFinalizers()) > 0 {
		if stored.GetDeletionTimestamp() == nil {
			going, _ := stored.DeepCopyObject().(client.Object)
			now := a.world.timestamp()
			going.SetDeletionTimestamp(&now)
			a.store.put(gk, key, going)
			a.world.seeStored(ctx, stored, going)
		}
		return nil
	}
	a.store.put(gk, key, nil)
	a.world.seeStored(ctx, stored, nil)
	return nil
}

// Patch implements client.Client, for merge patches.
func (a *apiServer) Patch(ctx context.Context, o client.Object, patch client.Patch, _ ...client.PatchOption) error {
	gk, key := kindOf(o), client.ObjectKeyFromObject(o)
	stored := a.store.get(gk, key)
	if stored == nil {
		return notFound(gk, key.Name)
	}
	content, err := patch.Data(o)
	if err != nil {
		return err
	}
	before, err := json.Marshal(stored)
	if err != nil {
		return err
	}
	after, err := jsonpatch.MergePatch(before, content)
	if err != nil {
		return fmt.Errorf("patch %s: %w", key, err)
	}
	patched := emptyLike(stored)
	if err := json.Unmarshal(after, patched); err != nil {
		return err
	}
	if patched.GetUID() != stored.GetUID() {
		return conflict(gk, key.Name, "the UID is another")
	}
	if patched.GetResourceVersion() != stored.GetResourceVersion() {
		return conflict(gk, key.Name, "it was changed")
	}
	patched.SetResourceVersion("")
	return a.Update(ctx, patched)
}

// Apply implements client.Client, for one field manager: what it applied earlier and applies no longer goes.
func (a *apiServer) Apply(ctx context.Context, configuration runtime.ApplyConfiguration, _ ...client.ApplyOption) error {
	applied := &unstructured.Unstructured{Object: configuration.(interface{ UnstructuredContent() map[string]any }).UnstructuredContent()}
	gk, key := kindOf(applied), client.ObjectKeyFromObject(applied)
	stored := a.store.get(gk, key)
	var merged client.Object
	switch {
	case gk == serviceKind:
		service := &corev1.Service{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(applied.Object, service); err != nil {
			return err
		}
		service.TypeMeta = metav1.TypeMeta{}
		merged = applyService(stored, service)
	case stored == nil:
		merged = applied.DeepCopy()
	default:
		merged = applyExport(stored, applied)
	}
	if stored == nil {
		return a.Create(ctx, merged)
	}
	return a.Update(ctx, merged)
}

func applyService(stored client.Object, applied *corev1.Service) client.Object {
	existing, ok := stored.(*corev1.Service)
	if !ok {
		return applied
	}
	merged := existing.DeepCopy()
	merged.Labels = labels.Merge(merged.Labels, applied.Labels)
	merged.Spec.Type, merged.Spec.Selector, merged.Spec.Ports = applied.Spec.Type, applied.Spec.Selector, applied.Spec.Ports
	return merged
}

func applyExport(stored client.Object, applied *unstructured.Unstructured) client.Object {
	merged, _ := stored.DeepCopyObject().(client.Object)
	annotations := merged.GetAnnotations()
	maps.DeleteFunc(annotations, func(key, _ string) bool { return strings.HasPrefix(key, "rook-clusterset.io/") })
	merged.SetAnnotations(labels.Merge(annotations, applied.GetAnnotations()))
	merged.SetLabels(labels.Merge(merged.GetLabels(), applied.GetLabels()))
	return merged
}

// giveClusterIP gives a Service the address that it asks for, or the next.
func (a *apiServer) giveClusterIP(o client.Object) error {
	service, ok := o.(*corev1.Service)
	if !ok || service.Spec.ClusterIP == corev1.ClusterIPNone {
		return nil
	}
	if service.Spec.Type == "" {
		service.Spec.Type = corev1.ServiceTypeClusterIP
	}
	taken := map[string]bool{}
	for _, other := range a.store.all(serviceKind, "") {
		taken[other.(*corev1.Service).Spec.ClusterIP] = true
	}
	if asked := service.Spec.ClusterIP; asked != "" {
		address, err := netip.ParseAddr(asked)
		if err != nil || !a.clusterIPs.Contains(address) || taken[asked] {
			return apierrors.NewInvalid(serviceKind, service.Name, nil)
		}
	} else {
		for address := a.clusterIPs.Addr().Next(); ; address = address.Next() {
			if address.Compare(a.lastIP) > 0 && !taken[address.String()] {
				a.lastIP = address
				service.Spec.ClusterIP = address.String()
				break
			}
		}
	}
	service.Spec.ClusterIPs = []string{service.Spec.ClusterIP}
	return nil
}

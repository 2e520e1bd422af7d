package main

import (
	"context"
	"net/netip"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// release frees the address of a Service that is exported no longer, or was made anew.
func (g *globalnet) release(ctx context.Context, key types.NamespacedName, e exported) {
	if address, has := g.given[key]; has {
		g.world.tell("Globalnet frees %s of %s", address, key)
		g.giveBack(address)
		delete(g.given, key)
	}
	if e.internal != nil {
		g.world.must(g.world.api.Delete(ctx, e.internal))
	}
	g.world.must(g.world.api.Delete(ctx, e.ingress))
}

// begin makes the GlobalIngressIP of a Service that is exported, which has no address yet.
func (g *globalnet) begin(ctx context.Context, key types.NamespacedName, e exported) {
	ingress := newObject(mcsstandin.GlobalIngressIPKind, key.Namespace, key.Name)
	ingress.SetAnnotations(map[string]string{exportUID: string(e.export.GetUID()), serviceUID: string(e.service.UID)})
	ingress.Object["spec"] = map[string]any{"target": "ClusterIPService", "serviceRef": map[string]any{"name": key.Name}}
	g.world.must(g.world.api.Create(ctx, ingress))
	if g.clumsyNext > 0 {
		g.clumsyNext--
		g.clumsy[key] = true
	}
	if validStatus(e.export) == "" {
		g.setValid(ctx, e.export, "False", "ServiceGlobalIPUnavailable", "Service doesn't have a global IP yet")
	}
}

// isAllocating says whether a write to a Service can have it be given a second address.
func (g *globalnet) isAllocating(key types.NamespacedName) bool {
	_, has := g.given[key]
	return !has && g.world.store.get(ingressIPKind, key) != nil
}

// allocate gives a Service its address, or again the one that it had before a restart.
func (g *globalnet) allocate(ctx context.Context, key types.NamespacedName, ingress *unstructured.Unstructured) {
	address, has := g.given[key]
	if !has {
		address = g.take()
		g.given[key] = address
	}
	g.world.tell("Globalnet gives %s to %s", address, key)
	g.setAllocated(ctx, ingress, address.String())
}

// allocateAgain is a second address, because somebody wrote to the Service while it was allocated the first time. The first
// one stays free for others.
func (g *globalnet) allocateAgain(ctx context.Context, key types.NamespacedName, ingress *unstructured.Unstructured) {
	delete(g.clumsy, key)
	before := g.given[key]
	g.given[key] = g.take()
	g.giveBack(before)
	g.world.faults["address given twice"]++
	g.world.tell("Globalnet gives %s to %s instead of %s", g.given[key], key, before)
	g.setAllocated(ctx, ingress, g.given[key].String())
}

func (g *globalnet) setAllocated(ctx context.Context, ingress *unstructured.Unstructured, address string) {
	if address == "" {
		g.setStatus(ctx, ingress, g.condition("Allocated", "False", "ReserveAllocatedIPsFailed", "Error reserving the allocated global IP"))
		return
	}
	status := g.condition("Allocated", "True", "Success", "Allocated global IP")
	status["allocatedIP"] = address
	g.setStatus(ctx, ingress, status)
}

// condition returns a status that has it alone.
func (g *globalnet) condition(of, status, reason, message string) map[string]any {
	return map[string]any{"conditions": []any{map[string]any{
		"type": of, "status": status, "reason": reason, "message": message, "lastTransitionTime": g.world.now.Format(time.RFC3339),
	}}}
}

func (g *globalnet) setStatus(ctx context.Context, o *unstructured.Unstructured, status map[string]any) {
	updated := o.DeepCopy()
	updated.Object["status"] = status
	g.world.must(g.world.api.Status().Update(ctx, updated))
}

// carry lets the network take packets for the address to the Service.
func (g *globalnet) carry(ctx context.Context, key types.NamespacedName, address netip.Addr) {
	if g.carried[key] == nil {
		g.carried[key] = map[netip.Addr]bool{}
	}
	g.carried[key][address] = true
	name := internalName(key)
	internal := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	g.write(ctx, internal, func() {
		internal.Labels = map[string]string{mcsstandin.ExportedServiceLabel: key.Name}
		internal.Spec.Type, internal.Spec.ExternalIPs = corev1.ServiceTypeClusterIP, []string{address.String()}
	})
}

func (g *globalnet) tellImport(ctx context.Context, key types.NamespacedName, address string) {
	name := importName(key)
	imported := newObject(served[importKind], name.Namespace, name.Name)
	g.write(ctx, imported, func() {
		imported.SetLabels(map[string]string{
			"multicluster.kubernetes.io/service-name": key.Name, "lighthouse.submariner.io/sourceNamespace": key.Namespace,
			"multicluster.kubernetes.io/source-cluster": mcsClusterID,
		})
		imported.Object["spec"] = map[string]any{"type": "ClusterSetIP", "ips": []any{address}}
	})
}

// write creates the object as it is filled in, or updates it.
func (g *globalnet) write(ctx context.Context, o client.Object, fillIn func()) {
	_, err := controllerutil.CreateOrUpdate(ctx, g.world.api, o, func() error { fillIn(); return nil })
	g.world.must(err)
}

func (g *globalnet) setValid(ctx context.Context, export *unstructured.Unstructured, status, reason, message string) {
	g.setStatus(ctx, export, g.condition("Valid", status, reason, message))
}

func validStatus(export *unstructured.Unstructured) string {
	for _, c := range kinds.Conditions(export) {
		if c.Type == "Valid" {
			return string(c.Status)
		}
	}
	return ""
}

func allocatedIP(ingress *unstructured.Unstructured) string {
	text, _, _ := unstructured.NestedString(ingress.Object, "status", "allocatedIP")
	return text
}

// tells says whether Globalnet tells the address of a Service: what it has given to another and has told nobody yet, nobody can know.
func (g *globalnet) tells(key types.NamespacedName, address netip.Addr) bool {
	ingress, _ := g.world.store.get(ingressIPKind, key).(*unstructured.Unstructured)
	return ingress != nil && allocatedIP(ingress) == address.String()
}

func importedIP(imported *unstructured.Unstructured) string {
	ips, _, _ := unstructured.NestedStringSlice(imported.Object, "spec", "ips")
	if len(ips) != 1 {
		return ""
	}
	return ips[0]
}

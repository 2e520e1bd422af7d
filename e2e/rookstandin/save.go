package rookstandin

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// saveMonConfig writes the addresses in memory to every place that Rook writes them to, in Rook's order. The fourth of
// the seven is the operator's own ceph.conf.
func (o *Operator) saveMonConfig(ctx context.Context) error {
	// The CSI drivers of older releases read a ConfigMap.
	csi := step{"failed to update csi cluster config", o.saveCSIConfig}
	if o.options.Release.AtLeast(18, 0) {
		csi = step{"failed to create/update cephConnection", o.saveCephConnection}
	}
	return inOrder(ctx,
		step{"failed to save the mon endpoints", o.persistExpectedMons},
		step{"failed to save the config store", o.saveConfigSecret},
		step{"failed to write ceph.conf", func(context.Context) error { o.memory.writeConf(); return nil }},
		csi,
	)
}

// anyOrder leaves the order random, as Rook's is; that of a model is always the same.
func (o *Operator) anyOrder(all []string) []string {
	if o.alone {
		slices.Sort(all)
	}
	return all
}

// flat formats the list.
func (o *Operator) flat(mons shapes.Mons) string { return strings.Join(o.anyOrder(mons.Flat()), ",") }

// persistExpectedMons writes the ConfigMap of the mon endpoints and the EndpointSlices, and nothing else.
func (o *Operator) persistExpectedMons(ctx context.Context) error {
	stored, err := o.storedMaxMonID(ctx)
	if err != nil {
		return err
	}
	mons := o.memory.snapshot()
	csi := shapes.Values{"monitors": o.anyOrder(mons.Monitors(false)), "namespace": ""}
	cm := shapes.Make[corev1.ConfigMap](o.cluster, "endpoints", shapes.Values{
		"data": o.flat(mons), "maxMonID": stored, "mapping": o.memory.mapping, "outOfQuorum": strings.Join(mons.OutOfQuorum(), ","),
		"csi": shapes.Text(o.cluster, "csiConfigJSON", csi),
	})
	if err := o.write.createOrUpdate(ctx, cm); err != nil {
		return err
	}
	if !o.options.Release.AtLeast(17, 0) || len(mons) == 0 {
		return nil
	}
	for _, family := range []string{"ipv4", "ipv6"} {
		if err := o.saveActiveMons(ctx, mons, family); err != nil {
			return err
		}
	}
	return nil
}

// saveActiveMons writes the EndpointSlice of the family; that of one which no mon is of it deletes, whether there is one or not.
func (o *Operator) saveActiveMons(ctx context.Context, mons shapes.Mons, family string) error {
	var addresses []string
	msgr1 := false
	for _, id := range mons.Sorted() {
		endpoint := mons[id].Endpoint
		msgr1 = msgr1 || endpoint.Port() == shapes.Msgr1Port
		if endpoint.Addr().Is6() == (family == "ipv6") {
			addresses = append(addresses, endpoint.Addr().String())
		}
	}
	if len(addresses) == 0 {
		name := metav1.ObjectMeta{Namespace: o.cluster.Namespace, Name: shapes.ActiveMons + family}
		return o.write.delete(ctx, &discoveryv1.EndpointSlice{ObjectMeta: name})
	}
	return o.write.createOrUpdate(ctx, shapes.Make[discoveryv1.EndpointSlice](o.cluster, "activeMons", shapes.Values{
		"family": family, "addresses": addresses, "msgr1": msgr1,
	}))
}

// saveConfigSecret creates the Secret if it is missing, and updates it in any case.
func (o *Operator) saveConfigSecret(ctx context.Context) error {
	hosts, members := o.memory.snapshot().MonHost()
	secret := shapes.Make[corev1.Secret](o.cluster, "config", shapes.Values{"hosts": hosts, "members": members})
	if _, err := o.write.createIfMissing(ctx, secret.DeepCopy()); err != nil {
		return err
	}
	return o.write.update(ctx, secret)
}

func (o *Operator) saveCSIConfig(ctx context.Context) error {
	cm := &corev1.ConfigMap{}
	if err := o.write.get(ctx, o.options.OperatorNamespace, shapes.CSIConfigMap, cm); err != nil {
		return err
	}
	monitors := o.anyOrder(o.memory.snapshot().Monitors(o.cluster.Spec.RequireMsgr2()))
	v := shapes.Values{"monitors": monitors, "namespace": o.cluster.Namespace}
	cm.Data = map[string]string{shapes.CSIKey: shapes.Text(o.cluster, "csiConfigJSON", v)}
	return o.write.update(ctx, cm)
}

// saveCephConnection writes the CephConnection, then the ClientProfile that names it.
func (o *Operator) saveCephConnection(ctx context.Context) error {
	monitors := o.anyOrder(o.memory.snapshot().Monitors(o.cluster.Spec.RequireMsgr2()))
	if len(monitors) == 0 {
		return nil
	}
	for _, shape := range []string{"cephConnection", "clientProfile"} {
		wanted := shapes.Make[unstructured.Unstructured](o.cluster, shape, shapes.Values{"monitors": monitors})
		if err := o.write.save(ctx, wanted); err != nil {
			return err
		}
	}
	return nil
}

// storedMaxMonID reads the highest index of a mon that ever had a Deployment; -1 if there was none.
func (o *Operator) storedMaxMonID(ctx context.Context) (int, error) {
	cm := &corev1.ConfigMap{}
	err := o.write.get(ctx, o.cluster.Namespace, EndpointsConfigMap, cm)
	if apierrors.IsNotFound(err) {
		return -1, nil
	}
	if err != nil {
		return 0, err
	}
	stored, err := strconv.Atoi(cm.Data[shapes.MaxMonIDKey])
	if err != nil {
		return 0, fmt.Errorf("failed to read the stored max mon id: %w", err)
	}
	return stored, nil
}

// commitMaxMonID writes the highest index of a mon, and nothing else, into the ConfigMap.
func (o *Operator) commitMaxMonID(ctx context.Context, id int, onlyUpwards bool) error {
	stored, err := o.storedMaxMonID(ctx)
	if err != nil {
		return err
	}
	if onlyUpwards && id <= stored {
		return nil
	}
	return o.changeEndpoints(ctx, shapes.MaxMonIDKey, strconv.Itoa(id))
}

// changeEndpoints writes one key, and nothing else, into the ConfigMap.
func (o *Operator) changeEndpoints(ctx context.Context, key, value string) error {
	cm := &corev1.ConfigMap{}
	if err := o.write.get(ctx, o.cluster.Namespace, EndpointsConfigMap, cm); err != nil {
		return err
	}
	cm.Data[key] = value
	return o.write.update(ctx, cm)
}

// savePeerToken writes the Secret that a peer cluster is given to mirror from this one: with every endpoint in memory,
// sorted as text.
func (o *Operator) savePeerToken(ctx context.Context) error {
	endpoints := o.memory.snapshot().Monitors(false)
	slices.Sort(endpoints)
	token := shapes.Text(o.cluster, "token", shapes.Values{"fsid": o.fsid, "endpoints": strings.Join(endpoints, ",")})
	secret := shapes.Make[corev1.Secret](o.cluster, "peerToken", shapes.Values{"token": token})
	return o.write.createOrUpdate(ctx, secret)
}

// controlCSI is the controller of the operator that is about CSI: when the operator starts, and when a CephCluster comes,
// it makes sure of the ConfigMap that the CSI drivers read. What is refused is tried again.
func (o *Operator) controlCSI(ctx context.Context) {
	if o.ensureCSIConfigMap(ctx) == nil || o.alone {
		return
	}
	o.running.Go(func() {
		pauses := o.backoff()
		for o.sleep(ctx, pauses.Step()) == nil && o.ensureCSIConfigMap(ctx) != nil {
			continue
		}
	})
}

// ensureCSIConfigMap creates the ConfigMap, whether it is there or not. Releases 1.18 and 1.19 delete it again where the
// CSI operator takes its place; 1.20 leaves it empty.
func (o *Operator) ensureCSIConfigMap(ctx context.Context) error {
	cm := shapes.Make[corev1.ConfigMap](nil, "csiConfig", shapes.Values{"operatorNamespace": o.options.OperatorNamespace})
	if err := o.write.create(ctx, cm); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	if o.options.Release.AtLeast(18, 0) && !o.options.Release.AtLeast(20, 0) {
		return o.write.delete(ctx, cm)
	}
	return nil
}

package rookstandin

import (
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// saveMonConfig writes the addresses in memory to every place that Rook writes them to, in Rook's order. The fourth of
// the seven is the operator's own ceph.conf.
func (o *Operator) saveMonConfig(ctx context.Context) error {
	if err := o.persistExpectedMons(ctx); err != nil {
		return err
	}
	if err := o.saveConfigSecret(ctx); err != nil {
		return fmt.Errorf("failed to save the config store: %w", err)
	}
	o.memory.writeConf()
	if o.options.csiOperator() {
		if err := o.saveCephConnection(ctx); err != nil {
			return fmt.Errorf("failed to create/update cephConnection: %w", err)
		}
		return nil
	}
	if err := o.saveCSIConfig(ctx); err != nil {
		return fmt.Errorf("failed to update csi cluster config: %w", err)
	}
	return nil
}

// persistExpectedMons writes the ConfigMap of the mon endpoints and the EndpointSlices, and nothing else.
func (o *Operator) persistExpectedMons(ctx context.Context) error {
	cm, err := o.endpointsConfigMap(ctx)
	if err != nil {
		return err
	}
	if err := o.write.createOrUpdate(ctx, cm); err != nil {
		return fmt.Errorf("failed to create/update the mon endpoint config map: %w", err)
	}
	if !o.options.Release.hasActiveMonsSlice() {
		return nil
	}
	written := map[string]bool{}
	for _, slice := range o.activeMons() {
		written[slice.Name] = true
		if err := o.write.createOrUpdate(ctx, slice); err != nil {
			return fmt.Errorf("failed to create/update the EndpointSlice %s: %w", slice.Name, err)
		}
	}
	return o.deleteOtherSlice(ctx, written)
}

// deleteOtherSlice deletes the EndpointSlice of the family that no mon is of, whether there is one or not.
func (o *Operator) deleteOtherSlice(ctx context.Context, written map[string]bool) error {
	for _, name := range []string{activeMonsName + "-ipv4", activeMonsName + "-ipv6"} {
		if len(written) == 0 || written[name] {
			continue
		}
		slice := &discoveryv1.EndpointSlice{ObjectMeta: metav1.ObjectMeta{Namespace: o.cluster.namespace, Name: name}}
		if err := client.IgnoreNotFound(o.write.delete(ctx, slice)); err != nil {
			return fmt.Errorf("failed to delete the EndpointSlice %s: %w", name, err)
		}
	}
	return nil
}

func (o *Operator) endpointsConfigMap(ctx context.Context) (*corev1.ConfigMap, error) {
	mons := o.memory.snapshot()
	stored, err := o.storedMaxMonID(ctx)
	if err != nil {
		return nil, err
	}
	csi, err := csiClusterConfig(o.cluster.namespace, mons)
	if err != nil {
		return nil, fmt.Errorf("failed to format csi config: %w", err)
	}
	mapping, err := o.memory.mappingJSON()
	if err != nil {
		return nil, fmt.Errorf("failed to marshal mon mapping: %w", err)
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(mons)) {
		if mons[id].outOfQuorum {
			out = append(out, id)
		}
	}
	cm := &corev1.ConfigMap{
		ObjectMeta: o.meta(EndpointsConfigMap),
		Data: map[string]string{
			dataKey:        flatEndpoints(mons),
			maxMonIDKey:    strconv.Itoa(stored),
			mappingKey:     mapping,
			outOfQuorumKey: strings.Join(out, ","),
			csiKey:         csi,
		},
	}
	cm.Finalizers = []string{protectionFinal}
	if o.options.Release.hasExternalMons() {
		cm.Data[externalMonsKey] = ""
	}
	return cm, nil
}

func (o *Operator) activeMons() []*discoveryv1.EndpointSlice {
	mons := o.memory.snapshot()
	families := map[discoveryv1.AddressType][]string{}
	msgr1 := false
	for _, id := range slices.Sorted(maps.Keys(mons)) {
		endpoint := mons[id].endpoint
		families[addressType(endpoint.Addr())] = append(families[addressType(endpoint.Addr())], endpoint.Addr().String())
		msgr1 = msgr1 || endpoint.Port() == msgr1Port
	}
	ports := []discoveryv1.EndpointPort{{Name: new("tcp-msgr2"), Port: new(int32(msgr2Port)), Protocol: new(corev1.ProtocolTCP)}}
	if msgr1 {
		ports = append(ports, discoveryv1.EndpointPort{
			Name: new("tcp-msgr1"), Port: new(int32(msgr1Port)), Protocol: new(corev1.ProtocolTCP),
		})
	}
	var all []*discoveryv1.EndpointSlice
	for _, family := range slices.Sorted(maps.Keys(families)) {
		slice := &discoveryv1.EndpointSlice{
			ObjectMeta:  o.meta(activeMonsName + "-" + strings.ToLower(string(family))),
			AddressType: family,
			Endpoints:   []discoveryv1.Endpoint{{Addresses: families[family]}},
			Ports:       ports,
		}
		slice.Labels = map[string]string{discoveryv1.LabelServiceName: activeMonsName}
		all = append(all, slice)
	}
	return all
}

func addressType(a netip.Addr) discoveryv1.AddressType {
	if a.Is6() {
		return discoveryv1.AddressTypeIPv6
	}
	return discoveryv1.AddressTypeIPv4
}

// saveConfigSecret asks for the Secret, creates it if it is missing, and updates it in any case.
func (o *Operator) saveConfigSecret(ctx context.Context) error {
	hosts, members := monHost(o.memory.snapshot())
	secret := func() *corev1.Secret {
		return &corev1.Secret{
			ObjectMeta: o.meta(ConfigSecret),
			Type:       "kubernetes.io/rook",
			StringData: map[string]string{"mon_host": hosts, "mon_initial_members": members},
		}
	}
	err := o.write.get(ctx, o.cluster.namespace, ConfigSecret, &corev1.Secret{})
	if apierrors.IsNotFound(err) {
		err = o.write.create(ctx, secret())
	}
	if err != nil {
		return err
	}
	return o.write.update(ctx, secret())
}

func (o *Operator) saveCSIConfig(ctx context.Context) error {
	cm := &corev1.ConfigMap{}
	if err := o.write.get(ctx, o.options.OperatorNamespace, CSIConfigMap, cm); err != nil {
		return err
	}
	text, err := updateCSIConfig(cm.Data[csiKey], o.cluster.namespace, csiMonitors(o.memory.snapshot(), o.cluster.requireMsgr2))
	if err != nil {
		return err
	}
	if cm.Data == nil {
		cm.Data = map[string]string{}
	}
	cm.Data[csiKey] = text
	return o.write.update(ctx, cm)
}

// saveCephConnection writes the CephConnection, then the ClientProfile that names it.
func (o *Operator) saveCephConnection(ctx context.Context) error {
	monitors := make([]any, 0)
	for _, monitor := range csiMonitors(o.memory.snapshot(), o.cluster.requireMsgr2) {
		monitors = append(monitors, monitor)
	}
	if len(monitors) == 0 {
		return nil
	}
	if err := o.saveCSIObject(ctx, CephConnectionKind, map[string]any{"monitors": monitors}); err != nil {
		return err
	}
	secret := func(name string) map[string]any {
		return map[string]any{"cephCsiSecrets": map[string]any{
			"controllerPublishSecret": map[string]any{"name": name, "namespace": o.cluster.namespace},
		}}
	}
	return o.saveCSIObject(ctx, clientProfileKind, map[string]any{
		"cephConnectionRef": map[string]any{"name": o.cluster.namespace},
		"cephFs":            secret("rook-csi-cephfs-provisioner"),
		"rbd":               secret("rook-csi-rbd-provisioner"),
	})
}

// saveCSIObject asks for the object of the CSI operator that has the name of the cluster, and creates or updates it.
func (o *Operator) saveCSIObject(ctx context.Context, kind schema.GroupVersionKind, spec map[string]any) error {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kind)
	err := o.write.get(ctx, o.options.OperatorNamespace, o.cluster.namespace, object)
	if err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	save := o.write.update
	if err != nil {
		save = o.write.create
	}
	object.SetNamespace(o.options.OperatorNamespace)
	object.SetName(o.cluster.namespace)
	object.Object["spec"] = spec
	return save(ctx, object)
}

// storedMaxMonID reads the highest index of a mon that ever had a Deployment; -1 if there was none.
func (o *Operator) storedMaxMonID(ctx context.Context) (int, error) {
	cm := &corev1.ConfigMap{}
	err := o.write.get(ctx, o.cluster.namespace, EndpointsConfigMap, cm)
	if apierrors.IsNotFound(err) {
		return -1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("failed to get the stored max mon id: %w", err)
	}
	stored, err := strconv.Atoi(cm.Data[maxMonIDKey])
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
	if err := o.changeEndpoints(ctx, maxMonIDKey, strconv.Itoa(id)); err != nil {
		return fmt.Errorf("failed to commit maxMonId %d: %w", id, err)
	}
	return nil
}

// saveOutOfQuorum writes which mons are out of quorum, and nothing else, into the ConfigMap.
func (o *Operator) saveOutOfQuorum(ctx context.Context, ids []string) error {
	if err := o.changeEndpoints(ctx, outOfQuorumKey, strings.Join(ids, ",")); err != nil {
		return fmt.Errorf("failed to update mon endpoints cm: %w", err)
	}
	return nil
}

func (o *Operator) changeEndpoints(ctx context.Context, key, value string) error {
	cm := &corev1.ConfigMap{}
	if err := o.write.get(ctx, o.cluster.namespace, EndpointsConfigMap, cm); err != nil {
		return err
	}
	cm.Data[key] = value
	return o.write.update(ctx, cm)
}

// savePeerToken writes the Secret that a peer cluster is given to mirror from this one: with every endpoint in memory,
// sorted as text.
func (o *Operator) savePeerToken(ctx context.Context) error {
	var endpoints []string
	for _, info := range o.memory.snapshot() {
		endpoints = append(endpoints, info.endpoint.String())
	}
	slices.Sort(endpoints)
	token := fmt.Sprintf(`{"fsid":%q,"client_id":"rbd-mirror-peer","key":"","mon_host":%q,"namespace":%q}`,
		o.fsid, strings.Join(endpoints, ","), o.cluster.namespace)
	secret := &corev1.Secret{
		ObjectMeta: o.meta(peerTokenPrefix + o.cluster.name),
		Type:       "kubernetes.io/rook",
		Data: map[string][]byte{
			"cluster": []byte(o.cluster.namespace),
			"token":   []byte(base64.StdEncoding.EncodeToString([]byte(token))),
		},
	}
	if err := o.write.createOrUpdate(ctx, secret); err != nil {
		return fmt.Errorf("failed to update cluster rbd bootstrap peer token: %w", err)
	}
	return nil
}

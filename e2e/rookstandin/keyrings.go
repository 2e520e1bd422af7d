package rookstandin

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// ensureMonSecret makes the Secret with the identity of the cluster, or reads what it was made with.
func (o *Operator) ensureMonSecret(ctx context.Context) error {
	secret := &corev1.Secret{}
	err := o.write.get(ctx, o.cluster.namespace, monSecret, secret)
	if apierrors.IsNotFound(err) {
		secret, err = o.newMonSecret()
		if err != nil {
			return err
		}
		err = o.write.create(ctx, secret)
	}
	if err == nil {
		err = o.write.update(ctx, secret)
	}
	if err != nil {
		return fmt.Errorf("failed to get, create or update the mon secret: %w", err)
	}
	o.fsid, o.monKey = string(secret.Data["fsid"]), string(secret.Data["mon-secret"])
	o.mu.Lock()
	defer o.mu.Unlock()
	o.adminKey = string(secret.Data["ceph-secret"])
	return nil
}

func (o *Operator) newMonSecret() (*corev1.Secret, error) {
	monKey, err := newCephxKey()
	if err != nil {
		return nil, err
	}
	adminKey, err := newCephxKey()
	if err != nil {
		return nil, err
	}
	meta := o.meta(monSecret)
	meta.Finalizers = []string{protectionFinal}
	return &corev1.Secret{ObjectMeta: meta, Type: "kubernetes.io/rook", Data: map[string][]byte{
		"fsid":          []byte(o.cluster.uid),
		"ceph-username": []byte("client.admin"),
		"ceph-secret":   []byte(adminKey),
		"mon-secret":    []byte(monKey),
	}}, nil
}

func (o *Operator) saveKeyring(ctx context.Context, name, keyring string) error {
	secret := &corev1.Secret{ObjectMeta: o.meta(name), Type: "kubernetes.io/rook", StringData: map[string]string{"keyring": keyring}}
	err := o.write.get(ctx, o.cluster.namespace, name, &corev1.Secret{})
	if apierrors.IsNotFound(err) {
		err = o.write.create(ctx, secret)
	} else if err == nil {
		err = o.write.update(ctx, secret)
	}
	if err != nil {
		return fmt.Errorf("failed to save keyring secret %s: %w", name, err)
	}
	return nil
}

// ensureMgrKeyring asks the cluster for the key of the mgr and keeps it where its pod finds it.
func (o *Operator) ensureMgrKeyring(ctx context.Context) error {
	key, err := o.commands.CreateKey(ctx, o.access(), "mgr."+mgrID,
		"mon", "allow profile mgr", "mds", "allow *", "osd", "allow *")
	if err != nil {
		return fmt.Errorf("failed to create the key of mgr %s: %w", mgrID, err)
	}
	return o.saveKeyring(ctx, "rook-ceph-mgr-"+mgrID+"-keyring", mgrKeyringText(mgrID, key))
}

// ensureConfigOverride makes the ConfigMap that users write their ceph.conf into; what stands in it is theirs.
func (o *Operator) ensureConfigOverride(ctx context.Context) error {
	err := o.write.get(ctx, o.cluster.namespace, ConfigOverride, &corev1.ConfigMap{})
	if apierrors.IsNotFound(err) {
		err = o.write.create(ctx, &corev1.ConfigMap{ObjectMeta: o.meta(ConfigOverride), Data: map[string]string{"config": ""}})
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("failed to create the config override: %w", err)
	}
	return nil
}

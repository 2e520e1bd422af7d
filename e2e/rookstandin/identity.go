package rookstandin

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// initClusterInfo loads what is known of the cluster, or makes the keys of a new one, and saves the addresses at once.
func (o *Operator) initClusterInfo(ctx context.Context) error {
	if err := o.loadClusterInfo(ctx); err != nil {
		return err
	}
	monKey, err := o.ensureIdentity(ctx)
	if err != nil {
		return fmt.Errorf("failed to get, create or update the mon secret: %w", err)
	}
	if err := o.saveMonConfig(ctx); err != nil {
		return fmt.Errorf("failed to save mons: %w", err)
	}
	keys := shapes.Values{"monKey": monKey, "adminKey": o.memory.access().AdminKey}
	// Rook stores the key of the admin, and then notes on it of which generation it is.
	for _, shape := range []string{"monsKeyring", "adminKeyring", "adminKeyring"} {
		if err := o.write.save(ctx, shapes.Make[corev1.Secret](o.cluster, shape, keys)); err != nil {
			return err
		}
	}
	return nil
}

// ensureIdentity makes the Secret with the identity of the cluster, or reads what it was made with. It returns the key of the mons.
func (o *Operator) ensureIdentity(ctx context.Context) (monKey string, err error) {
	secret := &corev1.Secret{}
	err = o.write.get(ctx, o.cluster.Namespace, shapes.IdentitySecret, secret)
	if apierrors.IsNotFound(err) {
		keys := shapes.Values{"monKey": ceph.Key(o.cluster.UID + "mon."), "adminKey": ceph.Key(o.cluster.UID + "client.admin")}
		secret = shapes.Make[corev1.Secret](o.cluster, "identity", keys)
		err = o.write.create(ctx, secret)
	}
	if err == nil {
		err = o.write.update(ctx, secret)
	}
	if err != nil {
		return "", err
	}
	o.fsid = string(secret.Data["fsid"])
	o.memory.change(func() { o.memory.conf.AdminKey = string(secret.Data["ceph-secret"]) })
	return string(secret.Data["mon-secret"]), nil
}

// ensureConfigOverride makes the ConfigMap that users write their ceph.conf into; what stands in it is theirs.
func (o *Operator) ensureConfigOverride(ctx context.Context) error {
	_, err := o.write.createIfMissing(ctx, shapes.Make[corev1.ConfigMap](o.cluster, "configOverride", nil))
	return client.IgnoreAlreadyExists(err)
}

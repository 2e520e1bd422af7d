package view

import (
	"cmp"
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Switches are what an admin says on a namespace, besides switching it on.
type Switches struct {
	// Migrate is rook.SwitchOff, rook.SwitchPause or anything else for yes.
	Migrate string
	// Cleanup says that what no daemon advertises is to go.
	Cleanup bool
}

// Switches returns what stands on the namespace; on one that is not switched on nothing is read.
func (v *View) Switches(ctx context.Context, namespace string) (Switches, error) {
	found, err := get(ctx, v.cached, "", namespace, "Namespace", &corev1.Namespace{})
	if err != nil || found == nil {
		return Switches{}, err
	}
	return readSwitches(found), nil
}

func readSwitches(namespace *corev1.Namespace) Switches {
	value := func(key string) string { return cmp.Or(namespace.Labels[key], namespace.Annotations[key]) }
	return Switches{Migrate: value(rook.MigrateSwitch), Cleanup: value(rook.CleanupSwitch) == "true"}
}

// keepSwitches gives a namespace what readSwitches reads of another.
func keepSwitches(to, from *corev1.Namespace) {
	for _, key := range []string{rook.MigrateSwitch, rook.CleanupSwitch} {
		if value := cmp.Or(from.Labels[key], from.Annotations[key]); value != "" {
			to.Labels[key] = value
		}
	}
}

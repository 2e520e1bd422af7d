package view

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Switches are what an admin says on a namespace, besides switching it on.
type Switches struct {
	// Migrate is rook.SwitchOff, rook.SwitchPause or anything else for yes.
	Migrate string
}

// Switches returns what stands on the namespace; on one that is not switched on nothing is read.
func (v *View) Switches(ctx context.Context, namespace string) (Switches, error) {
	found, err := get(ctx, v.cached, "", namespace, "Namespace", &corev1.Namespace{})
	if err != nil || found == nil {
		return Switches{}, err
	}
	return readSwitches(found), nil
}

// NamespacesToCleanUp returns the namespaces that say so, sorted, as the API server has them: the caches keep none that is switched
// off. In one that is switched on nothing is to be cleaned up, for it would come back at once.
func (v *View) NamespacesToCleanUp(ctx context.Context) ([]string, error) {
	list := &corev1.NamespaceList{}
	if err := v.live.List(ctx, list, client.MatchingLabels{rook.CleanupSwitch: "true"}); err != nil {
		return nil, fmt.Errorf("list the namespaces to clean up: %w", err)
	}
	var names []string
	for i := range list.Items {
		if list.Items[i].Labels[rook.EnabledLabel] != "true" {
			names = append(names, list.Items[i].Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

func readSwitches(namespace *corev1.Namespace) Switches {
	return Switches{Migrate: cmp.Or(namespace.Labels[rook.MigrateSwitch], namespace.Annotations[rook.MigrateSwitch])}
}

// keepSwitches gives a namespace what readSwitches reads of another.
func keepSwitches(to, from *corev1.Namespace) {
	// What is longer than a label can be is neither of the words.
	if migrate := readSwitches(from).Migrate; migrate != "" && len(migrate) <= validation.LabelValueMaxLength {
		to.Labels[rook.MigrateSwitch] = migrate
	}
}

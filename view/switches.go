package view

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// Switches are what an admin says on a namespace, besides switching it on.
type Switches struct {
	// Migrate is rook.SwitchOff, rook.SwitchPause or nothing for yes.
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

// readSwitches takes what stands in the way, be it said by the label or by the annotation: who wants to stop may not know of the
// other. A word that is not known was not meant to go on.
func readSwitches(namespace *corev1.Namespace) Switches {
	said := []string{namespace.Labels[rook.MigrateSwitch], namespace.Annotations[rook.MigrateSwitch]}
	switch {
	case slices.Contains(said, rook.SwitchOff):
		return Switches{Migrate: rook.SwitchOff}
	case slices.ContainsFunc(said, func(word string) bool { return word != "" && word != rook.SwitchOn }):
		return Switches{Migrate: rook.SwitchPause}
	}
	return Switches{}
}

// keepSwitches gives a namespace what readSwitches reads of another.
func keepSwitches(to, from *corev1.Namespace) {
	if migrate := readSwitches(from).Migrate; migrate != "" {
		to.Labels[rook.MigrateSwitch] = migrate
	}
}

package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/certs"
	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

// The Service of admission, as install.yaml has it.
const (
	installNamespace = "rook-clusterset"
	webhookService   = "rook-clusterset-webhook"
)

// admissionNotes says what keeps the API server from asking admission. Whoever may not look is told nothing.
func admissionNotes(ctx context.Context, c client.Client) []string {
	var notes []string
	configurations := &admissionregistrationv1.MutatingWebhookConfigurationList{}
	err := c.List(ctx, configurations, client.MatchingFields{"metadata.name": certs.WebhookConfigurationName})
	if err == nil && len(configurations.Items) == 0 {
		notes = append(notes, fmt.Sprintf("MutatingWebhookConfiguration %s is not installed: what Rook writes is not corrected", certs.WebhookConfigurationName))
	}
	endpoints := &discoveryv1.EndpointSliceList{}
	err = c.List(ctx, endpoints, client.InNamespace(installNamespace), client.MatchingLabels{discoveryv1.LabelServiceName: webhookService})
	if err == nil && !slices.ContainsFunc(endpoints.Items, hasReady) {
		notes = append(notes, fmt.Sprintf("Service %s/%s %s", installNamespace, webhookService, reason.WebhookUnserved.Sentence()))
	}
	return notes
}

func hasReady(s discoveryv1.EndpointSlice) bool {
	return slices.ContainsFunc(s.Endpoints, func(e discoveryv1.Endpoint) bool {
		return len(e.Addresses) > 0 && (e.Conditions.Ready == nil || *e.Conditions.Ready)
	})
}

// offNote is for a namespace that was asked for and is not switched on.
func offNote(s view.Snapshot) string {
	left := 0
	for _, daemon := range s.Daemons {
		if daemon.Export.Ours {
			left++
		}
	}
	if left == 0 {
		return fmt.Sprintf("namespace %s %s", s.Namespace, reason.NamespaceNotEnabled.Sentence())
	}
	return leftNote(s.Namespace, left)
}

// leftNotes names the namespaces that are switched off while daemons are exported there. Whoever may not look at all of them
// is told nothing.
func leftNotes(ctx context.Context, v *view.View) []string {
	left, err := v.LeftBehind(ctx)
	if err != nil {
		return nil
	}
	var notes []string
	for _, namespace := range slices.Sorted(maps.Keys(left)) {
		notes = append(notes, leftNote(namespace, left[namespace]))
	}
	return notes
}

func leftNote(namespace string, exports int) string {
	return fmt.Sprintf("namespace %s %s (ServiceExports: %d)", namespace, reason.NamespaceSwitchedOff.Sentence(), exports)
}

// tokenLines says of each CephCluster with rows since when its token for peers may be copied, or that it is not yet. Nobody reads
// the token for that. Where Rook never had to be corrected there is nothing to say.
func tokenLines(ctx context.Context, c client.Client, rows []daemonStatus) []string {
	v := view.New(view.Readers{Cached: c, Live: c}, kinds.Discovered{Mapper: c.RESTMapper()})
	namespaces := map[string]bool{}
	for _, row := range rows {
		namespaces[row.Namespace] = true
	}
	var lines []string
	for _, namespace := range slices.Sorted(maps.Keys(namespaces)) {
		remembered, err := v.Remembered(ctx, namespace)
		if err != nil || remembered.Version == "" {
			continue
		}
		cluster, err := v.LatestCluster(ctx, namespace)
		if err != nil || cluster == nil {
			continue
		}
		lines = append(lines, tokenLine(*cluster, remembered))
	}
	return lines
}

func tokenLine(cluster rook.Cluster, remembered rook.Remembered) string {
	secret := "Secret " + cluster.Namespace + "/" + rook.PeerTokenName(cluster.Name)
	if remembered.TokenRight.IsZero() {
		return secret + " " + reason.PeerTokenStale.Sentence()
	}
	return fmt.Sprintf("%s tells the global IPs of the mons since %s, and may be copied to a peer", secret, remembered.TokenRight.Format(time.RFC3339))
}

package webhook

import (
	"context"
	"net/netip"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// View is what admission needs to know of the cluster. It is read from caches, but for what is called latest; what is not
// there is nil or zero, and an error, which says what was being read, means that it cannot be known.
type View interface {
	// Enabled says whether the namespace is switched on, and EnabledNamespaces which are.
	Enabled(ctx context.Context, namespace string) (bool, error)
	EnabledNamespaces(ctx context.Context) ([]string, error)
	// Cluster returns the CephCluster of the namespace.
	Cluster(ctx context.Context, namespace string) (*rook.Cluster, error)
	// Expected says whether the cluster itself has signs that Rook is about to write the Deployment of the daemon.
	Expected(ctx context.Context, daemon rook.Daemon, cluster rook.Cluster) (bool, error)
	// OperatorNamespace returns where Rook's operator lives, or nothing while that is not known.
	OperatorNamespace(ctx context.Context, namespace string) (string, error)
	// Deployment returns the Deployment of that name.
	Deployment(ctx context.Context, namespace, name string) (*appsv1.Deployment, error)
	// LatestMonEndpoints returns the ConfigMap in which Rook keeps the address of each mon, and whether the API server itself
	// said so: where it does not answer, it is as the cache has it.
	LatestMonEndpoints(ctx context.Context, namespace string) (endpoints *corev1.ConfigMap, latest bool, err error)
	// Remembered returns what is known of the memory of Rook's operator.
	Remembered(ctx context.Context, namespace string) (rook.Remembered, error)
	// Export returns what is known of the ServiceExport of that name, and Exports of all of the namespace by name.
	Export(ctx context.Context, namespace, name string) (rook.Export, error)
	Exports(ctx context.Context, namespace string) (map[string]rook.Export, error)
	// Mons returns what is known of each mon of the namespace, by its ID.
	Mons(ctx context.Context, namespace string) (map[string]rook.DaemonFacts, error)
	// LatestDaemon returns what the API server itself says of a daemon.
	LatestDaemon(ctx context.Context, daemon rook.Daemon) (rook.DaemonFacts, error)
	// Claims returns who has the address, in whichever namespace.
	Claims(ctx context.Context, address netip.Addr) ([]rook.Claim, error)
}

// GlobalRange is the range of this cluster's global IPs.
type GlobalRange interface {
	// IsGlobal says whether the address is one of them. While the range is not known, none is.
	IsGlobal(ctx context.Context, address netip.Addr) bool
	// AllowsClusterIP says whether the global IP of a Service can be its own ClusterIP.
	AllowsClusterIP() bool
}

// Ensurer does the three things that admission has to do besides answering.
type Ensurer interface {
	// EnsureExport sees to it that the Service and the ServiceExport of a daemon exist.
	EnsureExport(ctx context.Context, daemon rook.Daemon, cluster rook.Cluster) error
	// StoreEndpoints stores the mon endpoints that Rook is to read anew, by what is known of the CephCluster and its mons.
	StoreEndpoints(ctx context.Context, cluster rook.Cluster, mons map[string]rook.DaemonFacts) error
	// NoteRemembered stores what is known of the memory of Rook's operator, as far as it differs from what was known.
	NoteRemembered(ctx context.Context, namespace string, before, after rook.Remembered) error
}

// isStranger says whether a request is known not to be of Rook. One that is not to be stored tells anybody what Rook would get.
func isStranger(ctx context.Context, view View, req admission.Request) (bool, error) {
	if isDryRun(req) {
		return false, nil
	}
	ctx, cancel := reading(ctx)
	defer cancel()
	operator, err := view.OperatorNamespace(ctx, req.Namespace)
	return rook.IsStranger(req.UserInfo.Username, operator), err
}

// readTimeout bounds the reading of the facts for one decision. Caches answer at once; only one that has not synced yet
// makes a read wait.
const readTimeout = 3 * time.Second

// reading returns the context of such a read. It outlives the client, because a request whose client has gone is still
// decided on, if only to say so in the log.
func reading(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
}

// mostPatience bounds what is asked of the API server itself before a daemon is born. One that is busy answers within seconds, and
// who asks for long takes a place among the requests that are decided on at once.
const mostPatience = 10 * time.Second

// beforeBirth returns the context of what a daemon is born by: of reading it from the API server, and of storing it there. It goes
// on for as long as the API server waits for the answer, so that a birth is not refused because something takes four seconds.
func beforeBirth(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := readTimeout
	if deadline, ok := ctx.Deadline(); ok {
		timeout = max(timeout, min(time.Until(deadline), mostPatience))
	}
	return context.WithTimeout(context.WithoutCancel(ctx), timeout)
}

// decode reads an object of a request. The API server converts to the version that the rules of the webhook
// configuration name, so that there is none to look for first, which would be a second pass over the whole object.
func decode(raw runtime.RawExtension, into client.Object) error {
	return json.Unmarshal(raw.Raw, into)
}

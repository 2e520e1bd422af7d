package manifests

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	flowcontrolv1 "k8s.io/api/flowcontrol/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// flowOf returns by which FlowSchema the API server takes a request of the user.
func flowOf(t *testing.T, admin *rest.Config, user string, groups ...string) string {
	t.Helper()
	config := rest.CopyConfig(admin)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:authenticated")}
	c, err := rest.HTTPClientFor(config)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, config.Host+"/api/v1/namespaces", http.NoBody)
	require.NoError(t, err)
	answer, err := c.Do(req)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	return answer.Header.Get("X-Kubernetes-Pf-Flowschema-Uid")
}

func TestTheManagerDoesNotQueueBehindTheWritesThatItHolds(t *testing.T) {
	config := startConfig(t)
	admin, err := client.New(config, client.Options{Scheme: newScheme(t)})
	require.NoError(t, err)
	for _, object := range installed(t) {
		switch object.(type) {
		case *flowcontrolv1.FlowSchema, *flowcontrolv1.PriorityLevelConfiguration, *rbacv1.ClusterRole, *rbacv1.ClusterRoleBinding:
			require.NoError(t, admin.Create(t.Context(), object))
		}
	}
	ours := &flowcontrolv1.FlowSchema{}
	require.NoError(t, admin.Get(t.Context(), client.ObjectKey{Name: "rook-clusterset"}, ours))
	flow := func(namespace, name string) string {
		return flowOf(t, config, "system:serviceaccount:"+namespace+":"+name, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	}
	require.Eventually(t, func() bool { return flow("rook-clusterset", "rook-clusterset") == string(ours.UID) }, time.Minute, 100*time.Millisecond)
	require.NotEqual(t, string(ours.UID), flow("rook-ceph", "rook-ceph-system"), "whose writes are held")
	require.NotEqual(t, string(ours.UID), flow("rook-clusterset", "default"))
}

package rookstandin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// stage is where a story is played: a fake cluster with one node, an admission that corrects the mons that it serves and
// asks for a reload as soon as it may, and an operator at a time whose calls are noted.
type stage struct {
	t        *testing.T
	site     *site
	client   client.WithWatch
	operator *Operator
	ceph     *ceph.Cluster
	end      context.CancelFunc

	mu    sync.Mutex
	calls []call
	// begins is what the story begins with.
	begins string

	served sync.Map
	// awayAfter is the write after which the webhook goes away.
	awayAfter atomic.Value
	// stale is set while what Rook knows of the mons is not what is stored.
	stale, away, hidden atomic.Bool
	// count is how many mons were born while it was looked on.
	count   int
	reloads sync.Once
	// unfinished is set where Rook was recorded while it had more to do.
	unfinished bool
}

func newStage(t *testing.T) *stage {
	s := &stage{t: t}
	s.site = newSite(t, s.admit)
	s.client = interceptor.NewClient(s.site.client, interceptor.Funcs{
		Create: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.CreateOption) error {
			return s.note(ctx, "create", o, func() error { return c.Create(ctx, o, options...) })
		},
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.UpdateOption) error {
			return s.note(ctx, "update", o, func() error { return c.Update(ctx, o, options...) })
		},
		Delete: func(ctx context.Context, c client.WithWatch, o client.Object, options ...client.DeleteOption) error {
			return s.note(ctx, "delete", o, func() error { return c.Delete(ctx, o, options...) })
		},
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, options ...client.GetOption) error {
			if kind := o.GetObjectKind().GroupVersionKind(); kind.Group == CephConnectionKind.Group && s.hidden.Load() {
				return &meta.NoKindMatchError{GroupKind: kind.GroupKind()}
			}
			return c.Get(ctx, key, o, options...)
		},
	})
	s.site.createCluster(t)
	return s
}

// note notes one call of the operator with the object as it is sent.
func (s *stage) note(ctx context.Context, verb string, o client.Object, do func() error) error {
	// A fake client takes no notice of an operator that has ended.
	if ctx.Err() != nil {
		return ctx.Err()
	}
	// What was read from a file of JSON holds its numbers as the noted calls must.
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	c := call{By: "rook", Verb: verb, Name: o.GetName(), Code: 200}
	if err := json.Unmarshal(text, &c.Object); err != nil {
		return err
	}
	gvk, err := apiutil.GVKForObject(o, s.site.client.Scheme())
	if err != nil {
		return err
	}
	c.Kind = strings.ToLower(gvk.Kind) + "s"
	if secret, ok := o.(*corev1.Secret); ok {
		for key, value := range secret.StringData {
			_ = unstructured.SetNestedField(c.Object, base64.StdEncoding.EncodeToString([]byte(value)), "data", key)
		}
	}
	if strings.HasPrefix(c.Name, "cluster-peer-token-") {
		token, _, _ := unstructured.NestedString(c.Object, "data", "token")
		_ = unstructured.SetNestedField(c.Object, decoded(s.t, decoded(s.t, token)), "data", "token")
	}
	if verb == "update" && strings.HasSuffix(c.Name, "-status") {
		c.By = "osd-prepare"
	}
	before := textAt(c.Object, "data", shapes.EndpointsKey)
	err = do()
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		c.Code = int(status.Status().Code)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, c)
	if cm, ok := o.(*corev1.ConfigMap); ok && err == nil && cm.Name == EndpointsConfigMap && verb != "delete" {
		s.stale.Store(cm.Data[shapes.EndpointsKey] != before)
	}
	return err
}

func decoded(t *testing.T, text string) string {
	plain, err := base64.StdEncoding.DecodeString(text)
	require.NoError(t, err)
	return string(plain)
}

func (s *stage) made() []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.calls, func(c call) bool { return strings.HasPrefix(c.Verb+" "+c.Kind+" "+c.Name, s.begins) })
	return s.calls[max(i, 0):]
}

// correct returns the text with the global IPs of the mons that are served.
func (s *stage) correct(c client.Client, text string) string {
	services := &corev1.ServiceList{}
	if err := c.List(context.Background(), services); err != nil {
		return text
	}
	for i := range services.Items {
		if ip := services.Items[i].Spec.ClusterIP; s.serves(strings.TrimPrefix(services.Items[i].Name, "rook-ceph-mon-")) {
			text = strings.ReplaceAll(text, ip, globalOf(ip))
		}
	}
	return text
}

// admit plays the webhook.
func (s *stage) admit(c client.WithWatch, o client.Object) error {
	if cm, ok := o.(*corev1.ConfigMap); ok && (cm.Name == EndpointsConfigMap || cm.Name == shapes.CSIConfigMap) {
		return s.admitEndpoints(c, cm)
	}
	if d, ok := o.(*appsv1.Deployment); ok && d.Labels["app"] == shapes.OSDApp && s.serves("osd") {
		osd := &d.Spec.Template.Spec.Containers[0]
		osd.Args = append(osd.Args, "--public-addr=242.0.1.0")
	}
	if secret, ok := o.(*corev1.Secret); ok && secret.Name != ConfigSecret {
		return nil
	}
	if _, ok := o.(*corev1.Service); ok {
		return nil
	}
	// What was read from a file of JSON holds its numbers as the noted calls must.
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	return json.Unmarshal([]byte(s.correct(c, string(text))), o)
}

func (s *stage) serves(id string) bool {
	_, served := s.served.Load(id)
	return served
}

func (s *stage) admitEndpoints(c client.WithWatch, cm *corev1.ConfigMap) error {
	if s.away.Load() {
		return apierrors.NewInternalError(errors.New("failed calling webhook"))
	}
	data := cm.Data[shapes.EndpointsKey]
	for key := range cm.Data {
		cm.Data[key] = s.correct(c, cm.Data[key])
	}
	stored := &corev1.ConfigMap{}
	err := client.IgnoreNotFound(c.Get(context.Background(), client.ObjectKeyFromObject(cm), stored))
	first := cm.Name == EndpointsConfigMap && stored.Name != "" && stored.Data[shapes.EndpointsKey] == ""
	if err != nil || !first || cm.Data[shapes.EndpointsKey] == data {
		return err
	}
	stored.Data = cm.Data
	if err := c.Update(context.Background(), stored); err != nil {
		return err
	}
	return errors.New("stored with the global IP of the first mon")
}

func (s *stage) serve(ids ...string) {
	for _, id := range ids {
		s.served.Store(id, true)
	}
}

func (s *stage) start(release string) {
	var parsed Release
	_, err := fmt.Sscanf(release, "v1.%d.%d", &parsed.Minor, &parsed.Patch)
	require.NoError(s.t, err)
	version := "18.2.7-0"
	if parsed.AtLeast(20, 0) {
		version = "20.2.4-0"
	}
	if s.ceph == nil {
		// The daemons outlive the operator.
		s.ceph, err = ceph.Start(s.t.Context(), s.site.client, "rook-ceph")
		require.NoError(s.t, err)
	}
	ctx, end := context.WithCancel(s.t.Context())
	s.end = end
	s.reloads.Do(func() { go s.reload(s.t.Context()) })
	s.operator, err = Start(ctx, Options{
		Client: s.client, AssumePods: s.site.client, Timing: recordedTiming(), Ceph: s.ceph, Release: parsed, CephVersion: version,
		Nodes: []Node{{Name: "node-0", Address: "192.0.2.1"}}, OSDs: []OSD{{ID: "0"}},
		OnEntry: func(e Entry) {
			if e.Event == Wrote && s.awayAfter.CompareAndSwap(e.Kind+" "+e.Object, "") {
				s.away.Store(true)
				end()
			}
		},
	})
	require.NoError(s.t, err)
}

func (s *stage) stop() {
	s.end()
	s.operator.Wait()
}

// settled brings up a cluster that is served and that nothing is left to write of, and ends its operator.
func (s *stage) settled(release string) {
	s.serve("osd", "a", "b", "c")
	s.start(release)
	s.quiet()
	s.stop()
	s.forget()
}

func (s *stage) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = nil
}

// quiet waits until the operator has had nothing to do for a while.
func (s *stage) quiet() {
	s.t.Helper()
	seen, since := 0, time.Now()
	eventually(s.t, "the operator has nothing to do", func() bool {
		j := s.operator.Journal()
		works := j.Count(ReconcileStarted) > j.Count(ReconcileSucceeded)+j.Count(ReconcileFailed)
		if entries := len(j.Entries()); entries != seen || works || s.operator.Reconciled() == 0 {
			seen, since = entries, time.Now()
		}
		return time.Since(since) > 500*time.Millisecond
	})
}

func (s *stage) scaleToNothing(id string) {
	d := s.site.deployment(s.t, shapes.MonResource(id))
	d.Spec.Replicas = new(int32(0))
	require.NoError(s.t, s.site.client.Update(s.t.Context(), d))
}

func (s *stage) changeSpec(value any, path ...string) {
	require.NoError(s.t, retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		cluster := s.site.cluster(s.t)
		cluster.SetGeneration(cluster.GetGeneration() + 1)
		require.NoError(s.t, unstructured.SetNestedField(cluster.Object, value, append([]string{"spec"}, path...)...))
		return s.site.client.Update(s.t.Context(), cluster)
	}))
}

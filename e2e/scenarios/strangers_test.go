package scenarios_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	admissionv1 "k8s.io/api/admission/v1"
	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/webhook"
)

// forged marks all that a stranger makes up.
const forged = "forged"

// strangers post reviews straight to the replicas, which anybody can who reaches the port.
func (s *story) strangers(reviews []forgedReview) {
	s.t.Helper()
	stranger := &http.Client{
		Timeout:   5 * time.Second,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	ctx := s.t.Context()
	var posting errgroup.Group
	posting.SetLimit(40)
	for i, review := range reviews {
		replica := s.World.Replicas[i%len(s.World.Replicas)]
		posting.Go(func() error {
			body, err := json.Marshal(review.review())
			if err != nil {
				return err
			}
			// What is held need not be waited for: it has been decided on.
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, replica.WebhookURL(review.path), bytes.NewReader(body))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/json")
			response, err := stranger.Do(req)
			if err != nil {
				return nil
			}
			return response.Body.Close()
		})
	}
	require.NoError(s.t, posting.Wait())
}

type forgedReview struct {
	path        string
	object, old client.Object
}

func (r forgedReview) review() admissionv1.AdmissionReview {
	gvk := r.object.GetObjectKind().GroupVersionKind()
	request := &admissionv1.AdmissionRequest{
		UID:       forged,
		Kind:      metav1.GroupVersionKind(gvk),
		Operation: admissionv1.Create,
		Namespace: r.object.GetNamespace(),
		Name:      r.object.GetName(),
		UserInfo:  authenticationv1.UserInfo{Username: "system:serviceaccount:" + r.object.GetNamespace() + ":rook-ceph-system"},
	}
	request.Object.Object = r.object
	if r.old != nil {
		request.Operation = admissionv1.Update
		request.OldObject.Object = r.old
	}
	return admissionv1.AdmissionReview{TypeMeta: metav1.TypeMeta{APIVersion: "admission.k8s.io/v1", Kind: "AdmissionReview"}, Request: request}
}

// forgedReviews are some hundred that ask for the writes that admission makes.
func (s *story) forgedReviews() []forgedReview {
	clusterIPs := map[string]string{}
	services := &corev1.ServiceList{}
	require.NoError(s.t, s.World.Plane.Client.List(s.t.Context(), services, client.InNamespace(s.Namespace)))
	for i := range services.Items {
		if id, isMon := strings.CutPrefix(services.Items[i].Name, "rook-ceph-mon-"); isMon {
			clusterIPs[id] = services.Items[i].Spec.ClusterIP
		}
	}
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{
			Namespace: s.Namespace, Name: name, Finalizers: []string{"forged.example/held"},
			Labels: map[string]string{forged: "yes"}, Annotations: map[string]string{forged: "yes"},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: forged, UID: forged}},
		}
	}
	endpoints := func(data string) *corev1.ConfigMap {
		return &corev1.ConfigMap{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}, ObjectMeta: meta("rook-ceph-mon-endpoints"),
			Data: map[string]string{
				"data": data, "maxMonId": forged, "mapping": forged, forged: "yes", "outOfQuorum": forged, "externalMons": "",
				"csi-cluster-config-json": `[{"clusterID":"` + s.Namespace + `","monitors":["198.51.100.66:6789"],"namespace":"","forged":1}]`,
			},
		}
	}
	var reviews []forgedReview
	lists := []string{"evil=198.51.100.66:6789", "evil=attacker.example:6789", "zz=198.51.100.66:6789", ""}
	for id, ip := range clusterIPs {
		own := id + "=" + ip + ":6789"
		lists = append(lists, own, own+",evil=198.51.100.66:6789", "evil=attacker.example:6789,"+own, own+","+own, id+"=198.51.100.66:6666")
	}
	for _, list := range lists {
		for range 4 {
			reviews = append(reviews, forgedReview{path: webhook.MonEndpointsPath, object: endpoints(list)},
				forgedReview{path: webhook.MonEndpointsPath, object: endpoints(list), old: endpoints("")})
		}
	}
	numbers := []string{"007", strings.Repeat("1", 56), "4294967296"}
	for i := range 60 {
		numbers = append(numbers, fmt.Sprint(700+i))
	}
	for _, number := range numbers {
		reviews = append(reviews, forgedReview{path: webhook.DeploymentPath, object: s.forgedDeployment(meta, "osd", number)})
	}
	for _, id := range []string{"a", "b", "d", "zz", "evil"} {
		reviews = append(reviews, forgedReview{path: webhook.DeploymentPath, object: s.forgedDeployment(meta, "mon", id)})
	}
	return reviews
}

func (s *story) forgedDeployment(meta func(string) metav1.ObjectMeta, kind, id string) *appsv1.Deployment {
	d := &appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}, ObjectMeta: meta("rook-ceph-" + kind + "-" + id)}
	d.Labels["app"], d.Labels["ceph_daemon_type"], d.Labels["ceph_daemon_id"] = "rook-ceph-"+kind, kind, id
	d.OwnerReferences = []metav1.OwnerReference{{APIVersion: "ceph.rook.io/v1", Kind: "CephCluster", Name: "my-cluster", Controller: new(true)}}
	d.Spec.Template.Spec.Containers = []corev1.Container{{Name: kind, Command: []string{"ceph-" + kind}, Args: []string{"--id", id, "--public-addr=198.51.100.66"}}}
	return d
}

// whatAdmissionWrites is all of the namespace that a write of admission could have changed, by kind and name, without what
// every write changes.
func (s *story) whatAdmissionWrites() map[string]string {
	objects := map[string]string{}
	for kind, version := range map[string]string{"ServiceExport": "multicluster.x-k8s.io/v1beta1", "Service": "v1", "ConfigMap": "v1"} {
		for _, o := range s.list(version, kind) {
			for _, field := range []string{"managedFields", "resourceVersion", "generation"} {
				unstructured.RemoveNestedField(o.Object, "metadata", field)
			}
			unstructured.RemoveNestedField(o.Object, "status")
			text, err := json.Marshal(o.Object)
			require.NoError(s.t, err)
			objects[o.GetKind()+" "+o.GetName()] = string(text)
		}
	}
	return objects
}

// nothingForged asserts that nothing of what strangers made up stands anywhere, and that the list lost no mon by it.
func (s *story) nothingForged(before map[string]string) {
	s.t.Helper()
	after := s.whatAdmissionWrites()
	for name, text := range after {
		require.NotContains(s.t, text, forged, name)
		require.NotContains(s.t, text, "198.51.100.66", name)
		require.NotContains(s.t, text, "attacker", name)
		require.NotRegexp(s.t, `osd-(7\d\d|007|\d{10,})|mon-(zz|evil)`, name)
	}
	for name := range before {
		require.Contains(s.t, after, name)
	}
	require.Subset(s.t, s.listed(after), s.listed(before))
}

func (s *story) listed(objects map[string]string) []string {
	c := &corev1.ConfigMap{}
	if text, there := objects["ConfigMap rook-ceph-mon-endpoints"]; there {
		require.NoError(s.t, json.Unmarshal([]byte(text), c))
	}
	return slices.DeleteFunc(strings.Split(c.Data["data"], ","), func(entry string) bool { return entry == "" })
}

// TestForgedReviewsChangeNothing posts them at each stage of a new cluster and of a failover, in Rook's own time.
func TestForgedReviewsChangeNothing(t *testing.T) {
	s := newStory(t, true)
	s.createCephCluster()
	attacks := map[string]int{}
	attack := func(stage, awaited string) {
		if awaited != "" {
			s.eventually("the export of "+awaited+" has its address", func() bool { return s.noted(awaited, "global-ip") != "" })
		}
		before := s.whatAdmissionWrites()
		reviews := s.forgedReviews()
		s.strangers(reviews)
		attacks[stage] += len(reviews)
		s.nothingForged(before)
	}
	attack("before Rook", "")
	seen := map[string]bool{}
	s.startOperator(func(o *rookstandin.Options) {
		o.OnEntry = func(e rookstandin.Entry) {
			_, name, _ := strings.Cut(e.Object, "/")
			stage := fmt.Sprintf("%s %s %s", e.Event, e.Kind, name)
			awaited := map[string]string{
				"wrote Service rook-ceph-mon-a":                     "rook-ceph-mon-a",
				"write refused ConfigMap rook-ceph-mon-endpoints":   "rook-ceph-mon-a",
				"wrote Deployment rook-ceph-mon-a":                  "rook-ceph-mon-a",
				"wrote Service rook-ceph-mon-b":                     "rook-ceph-mon-b",
				"osd prepare reported ConfigMap rook-ceph-osd-node": "",
				"failover started  ":                                "rook-ceph-mon-a",
				"wrote Service rook-ceph-mon-d":                     "rook-ceph-mon-d",
				"wrote Deployment rook-ceph-mon-d":                  "rook-ceph-mon-d",
			}
			if export, isStage := awaited[stage]; isStage && !seen[stage] {
				seen[stage] = true
				attack(stage, export)
			}
		}
	})
	s.comesUp()
	s.settled()
	require.Equal(t, map[string]int{"ConfigMap": 1}, s.Operator.Journal().Refusals())

	s.eventually("Rook has reloaded its mons, and nothing is under way", func() bool {
		return strings.Contains(s.whatAdmissionWrites()["ConfigMap rook-clusterset-remembered"], "peer-token-right-since")
	})
	s.settled()
	s.atRest()
	before := s.whatAdmissionWrites()
	attack("settled", "")
	s.settled()
	after := s.whatAdmissionWrites()
	require.ElementsMatch(t, s.listed(before), s.listed(after))
	for _, objects := range []map[string]string{before, after} {
		// Rook writes its list in any order. And that it remembers a mon by its ClusterIP, a true write could say now.
		delete(objects, "ConfigMap rook-ceph-mon-endpoints")
		delete(objects, "ConfigMap rook-clusterset-remembered")
	}
	require.Equal(t, before, after)

	s.loses("b")
	s.global(3)
	s.everyOSDIsGlobal("0", "1", "2")
	for stage, posted := range attacks {
		t.Logf("%d forged reviews at stage %q", posted, stage)
	}
	require.GreaterOrEqual(t, len(attacks), 8)
}

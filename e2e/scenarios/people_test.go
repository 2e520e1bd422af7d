package scenarios_test

import (
	"encoding/base64"
	"encoding/json"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
)

func (s *story) endpoints() *corev1.ConfigMap {
	s.t.Helper()
	return get(s, s.Namespace, rookstandin.EndpointsConfigMap, &corev1.ConfigMap{})
}

// remembered is what is kept of the memory of Rook's operator, by key.
func (s *story) remembered() map[string]string {
	s.t.Helper()
	c := &corev1.ConfigMap{}
	s.has(s.Namespace, "rook-clusterset-remembered", c)
	return c.Data
}

func TestAPersonWhoMovesAMonInRooksListIsWarnedAndRookIsNot(t *testing.T) {
	s := newCluster(t)
	before := s.endpoints()
	moved := strings.Replace(before.Data["data"], s.globalIP("rook-ceph-mon-b").String(), "10.0.0.6", 1)
	patch, err := json.Marshal(map[string]any{"data": map[string]string{"data": moved}})
	require.NoError(t, err)
	said := s.kubectl("patch", "configmap", rookstandin.EndpointsConfigMap, "--type=merge", "-p", string(patch))
	require.Contains(t, said, `Warning: rook-clusterset: ConfigMap `+s.Namespace+`/rook-ceph-mon-endpoints was not written by Rook, and is put back to where the mons are: `+
		`mon "b" is kept at `+s.globalIP("rook-ceph-mon-b").String()+` instead of 10.0.0.6`)
	require.Contains(t, said, "let Rook replace it: kubectl -n "+s.Namespace+" scale deployment rook-ceph-mon-b --replicas=0")
	require.Equal(t, before.Data["data"], s.endpoints().Data["data"])
	require.Empty(t, s.remembered()["mons"], "a person's edit is not what Rook remembers")
	require.Empty(t, s.endpoints().Annotations, "nothing of ours stands where others write")
}

func TestAListWithAMonThatRookCannotHaveIsStoredAtOnce(t *testing.T) {
	s := newStory(t, true)
	written, err := os.ReadFile("testdata/mon-endpoints-unknown-id.yaml")
	require.NoError(t, err)
	started := time.Now()
	said, err := s.World.Plane.Kubectl(t.Context(), []byte(strings.ReplaceAll(string(written), "namespace: rook-ceph}", "namespace: "+s.Namespace+"}")), "create", "-f", "-")
	require.NoError(t, err)
	require.Less(t, time.Since(started), 10*time.Second)
	require.Contains(t, said, `"ext-mon-1=203.0.113.9:6789" has an ID that Rook gives to no mon`)
	require.Equal(t, "a=242.0.0.1:6789,ext-mon-1=203.0.113.9:6789", s.endpoints().Data["data"])
}

// token returns what a peer would copy now: the addresses of the mons.
func (s *story) token() (mons []netip.AddrPort) {
	s.t.Helper()
	secret := get(s, s.Namespace, "cluster-peer-token-my-cluster", &corev1.Secret{})
	text, err := base64.StdEncoding.DecodeString(string(secret.Data["token"]))
	require.NoError(s.t, err)
	var token struct {
		MonHost string `json:"mon_host"`
	}
	require.NoError(s.t, json.Unmarshal(text, &token))
	for text := range strings.SplitSeq(token.MonHost, ",") {
		mons = append(mons, netip.MustParseAddrPort(text))
	}
	return mons
}

// tokenIsRight asserts that a peer would copy the global IPs of three mons.
func (s *story) tokenIsRight() {
	s.t.Helper()
	require.Len(s.t, s.token(), 3)
	require.False(s.t, slices.ContainsFunc(s.token(), isNotGlobal), "%v", s.token())
}

func isNotGlobal(a netip.AddrPort) bool { return !globalRange.Contains(a.Addr()) }

func TestTheTokenForPeersHealsAndItIsToldSinceWhenItMayBeCopied(t *testing.T) {
	s := newStory(t, true)
	var first []netip.AddrPort
	tokenIsWritten := func(e rookstandin.Entry) bool {
		return e.Event == rookstandin.Wrote && strings.Contains(e.Object, "/cluster-peer-token-")
	}
	s.bringsUp(onceBefore(tokenIsWritten, func() { first = s.token() }))
	s.eventually("it is told that the token may be copied", func() bool { return s.events()["PeerTokenRight"] == 1 })
	require.NotEmpty(t, s.remembered()["peer-token-right-since"])
	require.True(t, slices.ContainsFunc(first, isNotGlobal), "Rook wrote it from its memory: %v", first)
	s.tokenIsRight()

	// A failover makes it wrong once more.
	s.loses("b")
	s.settled()
	s.eventually("it is told again", func() bool { return s.remembered()["mons"] == "" && s.remembered()["peer-token-right-since"] != "" })
	s.tokenIsRight()
	s.global(3)
}

// operatorRuns makes the Deployment of Rook's operator, or scales it: what runs it here is another thing.
func (s *story) operatorRuns(pods int32) {
	s.t.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Namespace: s.Namespace, Name: "rook-ceph-operator"}}
	_, err := controllerutil.CreateOrUpdate(s.t.Context(), s.World.Plane.Client, d, func() error {
		labels := map[string]string{"app": d.Name}
		d.Spec.Replicas, d.Spec.Selector, d.Spec.Template.Labels = new(pods), &metav1.LabelSelector{MatchLabels: labels}, labels
		d.Spec.Template.Spec.Containers = []corev1.Container{{Name: d.Name, Image: "rook"}}
		return nil
	})
	require.NoError(s.t, err)
}

// reloads counts how often Rook was asked to reload, and how often in the middle of a failover.
func (s *story) reloads() (asked, inFailover *atomic.Int32) {
	s.t.Helper()
	w, err := s.World.Plane.Client.Watch(s.t.Context(), &corev1.ConfigMapList{}, client.InNamespace(s.Namespace),
		client.MatchingFields{"metadata.name": "rook-clusterset-reload"})
	require.NoError(s.t, err)
	s.t.Cleanup(w.Stop)
	asked, inFailover = &atomic.Int32{}, &atomic.Int32{}
	go func() {
		for event := range w.ResultChan() {
			if event.Type != watch.Added {
				continue
			}
			if journal := s.Operator.Journal(); journal.Count(rookstandin.FailoverStarted) > journal.Count(rookstandin.MonRemoved) {
				inFailover.Add(1)
			}
			asked.Add(1)
		}
	}()
	return asked, inFailover
}

func TestAReloadIsAskedOnlyOfAnOperatorThatIsThereAndNotInAFailover(t *testing.T) {
	s := newStory(t, true)
	s.operatorRuns(0)
	s.createCephCluster()
	s.startOperator()
	asked, inFailover := s.reloads()
	s.comesUp()
	require.NotEmpty(t, s.remembered()["mons"])
	require.Equal(t, s.Namespace, s.remembered()["operator-namespace"])
	s.reconcileAgain()
	s.eventually("Rook has reloaded by itself", func() bool { return s.remembered()["mons"] == "" })
	require.Zero(t, asked.Load(), "no operator is there by its Deployment")

	s.operatorRuns(1)
	s.eventually("the operator is there", func() bool { return s.deployment("rook-ceph-operator").Status.ReadyReplicas == 1 })
	s.loses("b")
	require.Zero(t, inFailover.Load())
	s.settled()
	require.Equal(t, 1, s.Operator.Journal().Count(rookstandin.MonRemoved))
	require.Zero(t, s.Operator.Journal().Count(rookstandin.FailoverReverted))
	s.global(3)
	s.everyOSDIsGlobal("0", "1", "2")
}

func TestAnExportThatDoesNotKnowOfItsAddressNamesTheLikelyCause(t *testing.T) {
	s := newStory(t, true)
	// Lighthouse 0.19 cannot store Valid=True under the CRD of mcs-api 0.5.
	s.World.MCS.SetFault(s.Namespace, "rook-ceph-mon-a", mcsstandin.Fault{
		NeverValid: &mcsstandin.Condition{Reason: "ServiceGlobalIPUnavailable", Message: "Service doesn't have a global IP yet"},
	})
	s.createCephCluster()
	s.startOperator()
	s.eventually("the mon is refused in words that help", func() bool {
		return slices.ContainsFunc(s.Operator.Journal().Of(rookstandin.Refused), func(e rookstandin.Entry) bool {
			return strings.Contains(e.Message, `mon "a" is not ready for its clusterset address: it has a ServiceExport that says it has no global IP, though Globalnet has given one; `+
				`most likely Lighthouse and the ServiceExport CRD are of releases that do not go together (the GlobalIngressIP has 242.0.`)
		})
	})
	require.Equal(t, 1, s.events()["ExportStuck"])
	said := s.status(s.Namespace)
	require.Equal(t, "export_stuck", said.Daemons[0].State)

	s.World.MCS.SetFault(s.Namespace, "rook-ceph-mon-a", mcsstandin.Fault{})
	s.comesUp()
	s.everyDaemonIsGlobal()
}

func TestAHealthyReplacementOfAMonIsNoFaultAndANamespaceThatIsSwitchedOffIs(t *testing.T) {
	s := newCluster(t)
	s.loses("b")
	s.settled()
	states := func(said status) map[string]string {
		all := map[string]string{}
		for _, row := range said.Daemons {
			all[row.Service] = row.State
		}
		return all
	}
	s.eventually("what is left of the mon waits for its grace", func() bool {
		said := s.status(s.Namespace)
		return said.Code == 0 && states(said)["rook-ceph-mon-b"] == "leaving" && states(said)["rook-ceph-mon-d"] == "ok"
	})

	s.labelNamespace("enabled-")
	s.eventually("it is told by an event", func() bool { return s.events()["NamespaceSwitchedOff"] == 1 })
	said := s.status(s.Namespace)
	require.Equal(t, 1, said.Code)
	require.Contains(t, said.Err, "namespace "+s.Namespace+" is switched off while daemons are exported there")
}

package doctor

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"math/big"
	"net/netip"
	"os"
	"testing"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	cmmeta "github.com/cert-manager/cert-manager/pkg/apis/meta/v1"
	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/version"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/resolver"
	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/view"
)

var update = flag.Bool("update", false, "write the golden files anew")

// now is when everything here happens.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// example is what a check finds of facts.
type example struct {
	check, facts string
	found        Finding
}

// TestWhatIsSaidOfTheFactsIsWhatIsInTheGoldenFiles holds every verdict of every check, in both formats.
func TestWhatIsSaidOfTheFactsIsWhatIsInTheGoldenFiles(t *testing.T) {
	var text, machine bytes.Buffer
	told := map[string]map[Verdict]bool{}
	links := map[string]string{}
	for _, check := range Checks() {
		links[check.Name] = check.Link()
	}
	for _, e := range examples(t) {
		require.Contains(t, links, e.check)
		result := Result{Check: e.check, Finding: e.found}
		if e.found.Verdict == Failure || e.found.Verdict == Warning {
			result.Link = links[e.check]
			require.NotEmpty(t, e.found.Do, e.facts)
		}
		if told[e.check] == nil {
			told[e.check] = map[Verdict]bool{}
		}
		told[e.check][e.found.Verdict] = true
		fmt.Fprintf(&text, "# %s\n", e.facts)
		require.NoError(t, Report{result}.Text(&text))
		require.NoError(t, Report{result}.JSON(&machine))
	}
	for _, check := range Checks() {
		if check.Name != "install-rights" && check.Name != "cert-manager" && check.Name != "disruption-budget" {
			require.True(t, told[check.Name][OK], check.Name)
			require.True(t, told[check.Name][Failure] || told[check.Name][Warning], check.Name)
		}
	}
	golden(t, "testdata/findings.out.txt", text.Bytes())
	golden(t, "testdata/findings.out.json", machine.Bytes())
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, got, 0o600))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

func examples(t *testing.T) []example {
	t.Helper()
	var all []example
	for _, some := range [][]example{clusterExamples(), certificateExamples(t), admissionExamples(), clustersetExamples(), rookExamples(), daemonExamples(), everyState(t), conditionExamples()} {
		all = append(all, some...)
	}
	return all
}

func clusterExamples() []example {
	release := func(minor, git string) Finding {
		return ofVersion(&version.Info{Major: "1", Minor: minor, GitVersion: git})
	}
	kinds := func(cluster, export, telling string) Finding {
		needed, sources := view.Kinds(), resolver.Kinds()
		return ofKinds([]servedKind{{needed[0], cluster}, {needed[1], export}}, []servedKind{{sources[0], telling}})
	}
	return []example{
		{"cluster", "a release that serves", release("34", "v1.34.2")},
		{"cluster", "a release of a provider", release("30+", "v1.30.9-eks-1")},
		{"cluster", "a release that is too old", release("29", "v1.29.14")},
		{"cluster", "a release that cannot be read", release("x", "unknown")},
		{"kinds", "all are there", kinds("v1", "v1beta1", "v1alpha1")},
		{"kinds", "Rook is missing", kinds("", "v1beta1", "v1alpha1")},
		{"kinds", "a version that is not read", kinds("v1", "v2", "v1alpha1")},
		{"kinds", "nothing tells global IPs", kinds("v1", "v1alpha1", "")},
	}
}

// authority returns a CA and a certificate of the webhook that it signed.
func authority(t *testing.T, expires time.Time) (ca []byte, leaf *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	sign := func(template, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		require.NoError(t, err)
		signed, err := x509.ParseCertificate(der)
		require.NoError(t, err)
		return signed
	}
	root := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.Add(-time.Hour), NotAfter: expires, IsCA: true, BasicConstraintsValid: true}
	root = sign(root, root)
	leaf = sign(&x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		DNSNames: []string{"rook-clusterset-webhook.rook-clusterset.svc"},
	}, root)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw}), leaf
}

func certificateExamples(t *testing.T) []example {
	t.Helper()
	certificate := func(ready cmmeta.ConditionStatus, expires, renew time.Duration) Finding {
		c := &certmanagerv1.Certificate{ObjectMeta: metav1.ObjectMeta{Name: "rook-clusterset-serving"}}
		after, renewal := metav1.NewTime(now.Add(expires)), metav1.NewTime(now.Add(renew))
		c.Status.NotAfter, c.Status.RenewalTime = &after, &renewal
		if ready != "" {
			c.Status.Conditions = []certmanagerv1.CertificateCondition{{
				Type: certmanagerv1.CertificateConditionReady, Status: ready, Reason: "DoesNotExist", Message: "Issuing certificate as Secret does not exist",
			}}
		}
		return ofCertificate(c, now)
	}
	ca, leaf := authority(t, now.Add(24*time.Hour))
	oldCA, _ := authority(t, now.Add(-time.Minute))
	anotherCA, _ := authority(t, now.Add(24*time.Hour))
	configuration := func(bundle []byte, edit func(hooks []admissionregistrationv1.MutatingWebhook) []admissionregistrationv1.MutatingWebhook) *admissionregistrationv1.MutatingWebhookConfiguration {
		c := &admissionregistrationv1.MutatingWebhookConfiguration{}
		for _, path := range ourPaths {
			c.Webhooks = append(c.Webhooks, admissionregistrationv1.MutatingWebhook{
				Name: path[1:] + ".rook-clusterset.io",
				ClientConfig: admissionregistrationv1.WebhookClientConfig{
					CABundle: bundle, Service: &admissionregistrationv1.ServiceReference{Path: &path},
				},
			})
		}
		if edit != nil {
			c.Webhooks = edit(c.Webhooks)
		}
		return c
	}
	type hooks = []admissionregistrationv1.MutatingWebhook
	chain := []*x509.Certificate{leaf}
	return []example{
		{"certificate", "Ready", certificate(cmmeta.ConditionTrue, 60*24*time.Hour, 30*24*time.Hour)},
		{"certificate", "not Ready", certificate(cmmeta.ConditionFalse, time.Hour, time.Hour)},
		{"certificate", "not reported", certificate("", time.Hour, time.Hour)},
		{"certificate", "expired", certificate(cmmeta.ConditionFalse, -time.Minute, -time.Hour)},
		{"certificate", "overdue for renewal", certificate(cmmeta.ConditionTrue, 24*time.Hour, -2*time.Hour)},
		{"webhook-configuration", "as installed", ofConfiguration(configuration(ca, nil), now)},
		{"webhook-configuration", "without a CA", ofConfiguration(configuration(nil, nil), now)},
		{"webhook-configuration", "with a CA that expired", ofConfiguration(configuration(oldCA, nil), now)},
		{"webhook-configuration", "with two webhooks missing", ofConfiguration(configuration(ca, func(all hooks) hooks { return all[2:] }), now)},
		{"webhook-configuration", "with one that may be passed by", ofConfiguration(configuration(ca, func(all hooks) hooks {
			all[0].FailurePolicy = new(admissionregistrationv1.Ignore)
			return all
		}), now)},
		{"certificate-chain", "signed by the CA", ofChain(chain, configuration(ca, nil), now)},
		{"certificate-chain", "signed by another CA", ofChain(chain, configuration(anotherCA, nil), now)},
		{"certificate-chain", "expired", ofChain(chain, configuration(ca, nil), now.Add(2*time.Hour))},
	}
}

func admissionExamples() []example {
	endpoints := func(ready ...bool) Finding {
		var slice discoveryv1.EndpointSlice
		for _, r := range ready {
			slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{"10.244.0.9"}, Conditions: discoveryv1.EndpointConditions{Ready: &r}})
		}
		return ofEndpoints([]discoveryv1.EndpointSlice{slice})
	}
	replicas := func(wanted, ready int32) Finding {
		return ofReplicas(&appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &wanted}, Status: appsv1.DeploymentStatus{ReadyReplicas: ready}})
	}
	lease := func(holder string, ago time.Duration) Finding {
		renewed := metav1.NewMicroTime(now.Add(-ago))
		return ofLease(&coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &renewed, LeaseDurationSeconds: new(int32(15))}}, now)
	}
	global, wrong := netip.MustParseAddr("242.0.0.10"), netip.MustParseAddr(wrongAddress)
	rewritten := func(got netip.Addr, err error) Finding {
		found, failed := ofRewrite("rook-ceph/rook-ceph-osd-0", global, got, err)
		if failed != nil {
			return untold(failed)
		}
		return found
	}
	born := func(err error) Finding {
		found, failed := ofBirth("rook-ceph", err)
		if failed != nil {
			return untold(failed)
		}
		return found
	}
	unanswered := errors.New(`Internal error occurred: failed calling webhook "deployments.rook-clusterset.io": connection refused`)
	refused := errors.New(`admission webhook "deployments.rook-clusterset.io" denied the request: osd "99999" is not ready`)
	return []example{
		{"webhook-endpoints", "one of two is ready", endpoints(true, false)},
		{"webhook-endpoints", "none is ready", endpoints(false)},
		{"replicas", "both are ready", replicas(2, 2)},
		{"replicas", "one of two is ready", replicas(2, 1)},
		{"replicas", "there is to be one", replicas(1, 1)},
		{"replicas", "none is ready", replicas(2, 0)},
		{"leader", "it renewed a moment ago", lease("rook-clusterset-1", 2*time.Second)},
		{"leader", "it renewed long ago", lease("rook-clusterset-1", 10*time.Minute)},
		{"leader", "nobody holds the Lease", lease("", time.Second)},
		{"admission", "the address came back", rewritten(global, nil)},
		{"admission", "the wrong address came back", rewritten(wrong, nil)},
		{"admission", "the webhook did not answer", rewritten(netip.Addr{}, unanswered)},
		{"admission", "another one refused", rewritten(netip.Addr{}, errors.New("exceeded quota"))},
		{"admission", "a new OSD is refused", born(refused)},
		{"admission", "a new OSD is let through", born(nil)},
		{"admission", "nobody answers for a new OSD", born(unanswered)},
		{"admission", "a new OSD is refused by another", born(errors.New("exceeded quota"))},
		{"rights", "none is missing", ofRights(3, nil)},
		{"rights", "two are missing", ofRights(3, []string{"watch services", "list services"})},
	}
}

func clustersetExamples() []example {
	m := resolver.Membership{
		ClusterID: "east", GlobalCIDRs: []netip.Prefix{netip.MustParsePrefix("242.0.0.0/16")},
		PeerCIDRs: map[string][]netip.Prefix{"west": {netip.MustParsePrefix("242.1.0.0/16")}, "north": {netip.MustParsePrefix("242.2.0.0/16")}},
		Origin:    resolver.Origin{ClusterID: "--cluster-id", GlobalCIDRs: "Submariner submariner-operator/submariner"},
	}
	overlapping := m
	overlapping.PeerCIDRs = map[string][]netip.Prefix{"west": {netip.MustParsePrefix("242.0.128.0/17")}}
	return []example{
		{"global-range", "it is known", ofRange(m)},
		{"global-range", "it is not known", ofRange(resolver.Membership{})},
		{"cluster-id", "it is known", ofClusterID(m)},
		{"cluster-id", "it is not known", ofClusterID(resolver.Membership{})},
		{"peer-ranges", "they are others", ofPeers(m)},
		{"peer-ranges", "there is no peer", ofPeers(resolver.Membership{})},
		{"peer-ranges", "one overlaps", ofPeers(overlapping)},
	}
}

func rookExamples() []example {
	cluster := func(edit func(*rook.Cluster)) rook.Cluster {
		c := rook.Cluster{Namespace: "rook-ceph", Name: "my-cluster", RookVersion: "v1.20.6", CephVersion: "20.2.4-0"}
		if edit != nil {
			edit(&c)
		}
		return c
	}
	on := namespaceFacts{name: "rook-ceph", enabled: true, cluster: true}
	return []example{
		{"namespaces", "on", ofNamespaces([]namespaceFacts{on})},
		{"namespaces", "none at all", ofNamespaces(nil)},
		{"namespaces", "off, with a CephCluster", ofNamespaces([]namespaceFacts{{name: "rook-ceph", cluster: true}})},
		{"namespaces", "one of two is off", ofNamespaces([]namespaceFacts{on, {name: "rook-b", cluster: true}})},
		{"namespaces", "switched off with exports in it", ofNamespaces([]namespaceFacts{{name: "rook-ceph", cluster: true, left: 6}})},
		{"operator-namespace", "on", ofOperators(map[string]bool{"rook-ceph": true})},
		{"operator-namespace", "off", ofOperators(map[string]bool{"rook-ceph": true, "rook-operator": false})},
		{"operator-namespace", "not found", ofOperators(nil)},
		{"cephclusters", "served", ofClusters([]rook.Cluster{cluster(nil)})},
		{"cephclusters", "without versions yet", ofClusters([]rook.Cluster{cluster(func(c *rook.Cluster) { c.RookVersion, c.CephVersion = "", "" })})},
		{"cephclusters", "left alone", ofClusters([]rook.Cluster{cluster(nil), cluster(func(c *rook.Cluster) { c.HostNetwork = true })})},
		{"cephclusters", "Ceph is too old", ofClusters([]rook.Cluster{cluster(func(c *rook.Cluster) { c.CephVersion = "16.2.15-0" })})},
		{"cephclusters", "none", ofClusters(nil)},
		{"rook-memory", "right from the beginning", ofMemory(map[string]rook.Remembered{"rook-ceph/my-cluster": {}})},
		{"rook-memory", "right by now", ofMemory(map[string]rook.Remembered{"rook-ceph/my-cluster": {Version: "7", TokenRight: now}})},
		{"rook-memory", "wrong", ofMemory(map[string]rook.Remembered{"rook-ceph/my-cluster": {
			Version: "7", Mons: []rook.Endpoint{{ID: "a", Addr: netip.MustParseAddrPort("10.96.0.1:6789")}},
		}})},
		{"rook-memory", "right, and the token is not yet", ofMemory(map[string]rook.Remembered{"rook-ceph/my-cluster": {Version: "7"}})},
		{"rook-memory", "nobody to remember", ofMemory(nil)},
	}
}

func TestWhatIsLeftOfADaemonThatIsGoneIsNotLookedAt(t *testing.T) {
	gone := rook.DaemonFacts{Daemon: rook.Daemon{Type: rook.OSD, ID: "7"}, Export: rook.Export{Exists: true, Ours: true, OrphanedSince: now}}
	lives := rook.DaemonFacts{Daemon: rook.Daemon{Type: rook.OSD, ID: "1"}, Deployed: true}
	p := &Patient{snapshots: []view.Snapshot{
		{Cluster: &rook.Cluster{}, Daemons: []rook.DaemonFacts{gone, lives}},
		{Cluster: &rook.Cluster{HostNetwork: true}, Daemons: []rook.DaemonFacts{lives}},
	}}
	daemons, err := p.everyDaemon(t.Context())
	require.NoError(t, err)
	require.Equal(t, []rook.DaemonFacts{lives}, daemons)
}

func daemonExamples() []example {
	global := netip.MustParseAddr("242.0.0.10")
	daemon := func(edit func(*rook.DaemonFacts)) rook.DaemonFacts {
		d := rook.DaemonFacts{
			Daemon: rook.Daemon{Type: rook.Mon, ID: "a", Namespace: "rook-ceph"}, Deployed: true, Address: global, Listed: global,
			Export: rook.Export{Exists: true, Ours: true, Identity: rook.IdentityClusterset, GlobalIP: global, Valid: metav1.ConditionTrue, Pinned: true, Source: "GlobalIngressIP"},
		}
		if edit != nil {
			edit(&d)
		}
		return d
	}
	some := func(edit func(*rook.DaemonFacts)) []rook.DaemonFacts {
		return []rook.DaemonFacts{daemon(nil), daemon(edit)}
	}
	says := func(ip string, err error, source string) []told {
		answer := resolver.Answer{Source: "GlobalIngressIP"}
		if ip != "" {
			answer.IP = netip.MustParseAddr(ip)
		}
		return []told{{daemon(func(d *rook.DaemonFacts) { d.Export.Source = source }), answer, err}}
	}
	nothing := reason.Errorf(reason.NoAnswer, "no object")
	nxdomain := reason.Errorf(reason.DNSNameError, "east.rook-ceph-mon-a.rook-ceph.svc.clusterset.local. at 10.96.0.10:53")
	return []example{
		{"exports", "Valid", ofExports(some(nil))},
		{"exports", "none", ofExports(some(func(d *rook.DaemonFacts) { d.Export = rook.Export{} }))},
		{"exports", "of somebody else", ofExports(some(func(d *rook.DaemonFacts) { d.Export.Ours = false }))},
		{"exports", "not Valid, though pinned", ofExports(some(func(d *rook.DaemonFacts) {
			d.Export.Valid, d.Export.ValidReason, d.Export.ValidMessage = metav1.ConditionFalse, "AwaitingExport", "awaiting aggregation"
		}))},
		{"exports", "Valid, with a conflict", ofExports(some(func(d *rook.DaemonFacts) { d.Export.Beside = "Conflict True (PortConflict)" }))},
		{"exports", "no daemons", ofExports(nil)},
		{"sources", "they agree", ofSources(says("242.0.0.10", nil, "GlobalIngressIP"))},
		{"sources", "another address than is kept", ofSources(says("242.0.0.11", nil, "GlobalIngressIP"))},
		{"sources", "they disagree", ofSources(says("", reason.Errorf(reason.SourcesDisagree, "one says 242.0.0.10, another 242.0.0.11"), "GlobalIngressIP"))},
		{"sources", "only DNS tells", ofSources(says("", nothing, resolver.SourceDNS))},
		{"sources", "no daemons", ofSources(nil)},
		{"dns", "it tells the address", ofDNS(says("242.0.0.10", nil, resolver.SourceDNS))},
		{"dns", "it does not, and is needed", ofDNS(says("", nxdomain, resolver.SourceDNS))},
		{"dns", "it does not, and is not needed", ofDNS(says("", nxdomain, "GlobalIngressIP"))},
		{"dns", "it tells another", ofDNS(says("242.0.0.11", nil, "GlobalIngressIP"))},
		{"dns", "no daemons", ofDNS(nil)},
		{"daemons", "at their global IPs", ofDaemons(some(nil))},
		{"daemons", "born with a ClusterIP", ofDaemons(some(func(d *rook.DaemonFacts) { d.Export.Identity = rook.IdentityCluster }))},
		{"daemons", "drifted", ofDaemons(some(func(d *rook.DaemonFacts) { d.Export.Drift = netip.MustParseAddr("242.0.0.11") }))},
		{"daemons", "without a Deployment", ofDaemons(some(func(d *rook.DaemonFacts) { d.Deployed = false }))},
		{"daemons", "listed elsewhere", ofDaemons(some(func(d *rook.DaemonFacts) { d.Listed = netip.MustParseAddr("10.96.0.1") }))},
		{"daemons", "a dozen with one fault", ofDaemons(make([]rook.DaemonFacts, 12))},
		{"daemons", "none", ofDaemons(nil)},
	}
}

package scenarios_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/rook-clusterset/rook-clusterset/e2e/controlplane"
	"github.com/rook-clusterset/rook-clusterset/e2e/mcsstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin"
	"github.com/rook-clusterset/rook-clusterset/e2e/world"
	"github.com/rook-clusterset/rook-clusterset/manifests"
)

// fault is something that goes wrong, and what check is to say of it first.
type fault struct {
	name, check, found string
	// bringAbout returns what heals it; nil for what cannot be healed.
	bringAbout func(s *story) (heal func())
}

// faults end with those that cannot be healed.
func faults() []fault {
	return slices.Concat(admissionFaults(), certificateFaults(), clustersetFaults(), finalFaults())
}

// installAgain is what the answer to most of them is.
func (s *story) installAgain() {
	s.t.Helper()
	_, err := s.World.Plane.Kubectl(s.t.Context(), manifests.Install, "apply", "-f", "-")
	require.NoError(s.t, err)
}

// change changes an object of ours, and returns what puts it back.
func change[T client.Object](s *story, namespace, name string, o T, edit func(T)) (heal func()) {
	s.t.Helper()
	c := s.World.Plane.Client
	get(s, namespace, name, o)
	before, _ := o.DeepCopyObject().(T)
	edit(o)
	require.NoError(s.t, c.Update(s.t.Context(), o))
	return func() {
		s.t.Helper()
		s.eventually(name+" is put back", func() bool {
			if !s.has(namespace, name, o) {
				return false
			}
			before.SetResourceVersion(o.GetResourceVersion())
			return c.Update(s.t.Context(), before) == nil
		})
	}
}

// remove removes what kubectl finds under the name, and does not wait for its end.
func (s *story) remove(namespace, name string) {
	s.t.Helper()
	s.kubectl("-n", namespace, "delete", "--wait=false", name)
}

// removed is the fault that one of the shipped objects is not there.
func removed(name string) func(*story) func() {
	return func(s *story) func() {
		s.remove(controlplane.Namespace, name)
		return s.installAgain
	}
}

// configure changes the webhook configuration, which cert-manager would mend as far as the CA goes.
func configure(edit func(*admissionregistrationv1.MutatingWebhookConfiguration)) func(*story) func() {
	return func(s *story) func() {
		return change(s, "", "rook-clusterset", s.admission(), func(c *admissionregistrationv1.MutatingWebhookConfiguration) {
			delete(c.Annotations, "cert-manager.io/inject-ca-from")
			edit(c)
		})
	}
}

func admissionFaults() []fault {
	type configuration = admissionregistrationv1.MutatingWebhookConfiguration
	return []fault{
		{
			"the webhook configuration is deleted", "webhook-configuration", "is not installed",
			removed("mutatingwebhookconfiguration/rook-clusterset"),
		},
		{"a webhook has no CA", "webhook-configuration", "has no CA", configure(func(c *configuration) { c.Webhooks[0].ClientConfig.CABundle = nil })},
		{"a webhook is missing", "webhook-configuration", "no webhook asks for /mutate-deployment", configure(func(c *configuration) { c.Webhooks = c.Webhooks[1:] })},
		{"a webhook lets through what nobody answers", "webhook-configuration", "failure policy Ignore", configure(func(c *configuration) {
			c.Webhooks[0].FailurePolicy = new(admissionregistrationv1.Ignore)
		})},
		{"the API server is told not to ask in this namespace", "admission", "came back unchanged", configure(func(c *configuration) {
			c.Webhooks[0].NamespaceSelector.MatchExpressions[0].Values = []string{"never"}
		})},
		{"there is one replica", "replicas", "there is one replica", func(s *story) func() { return s.scale(1) }},
		{"there is no replica", "webhook-endpoints", "is answered by nobody", func(s *story) func() {
			heal := s.scale(0)
			s.World.Plane.Serve()
			return func() { heal(); s.World.Plane.Serve(s.World.Replicas...) }
		}},
		{"the disruption budget is deleted", "disruption-budget", "there is no PodDisruptionBudget", removed("pdb/rook-clusterset")},
		{"the replicas have an endpoint and do not answer", "admission", "was not answered", (*story).killAll},
		{"there is no leader", "leader", "has no holder", func(s *story) func() {
			heal := s.killAll()
			s.remove(controlplane.Namespace, "lease/rook-clusterset-exporter")
			return heal
		}},
		{"a right is taken away", "rights", "lacks 1 of its", func(s *story) func() {
			return change(s, "", "rook-clusterset", &rbacv1.ClusterRole{}, func(r *rbacv1.ClusterRole) {
				for i := range r.Rules {
					if r.Rules[i].Resources[0] == "servicecidrs" {
						r.Rules[i].Verbs = []string{"watch"}
					}
				}
			})
		}},
	}
}

// killAll ends all replicas as lost nodes would, of which nobody tells for a while.
func (s *story) killAll() (heal func()) {
	s.t.Helper()
	for _, replica := range s.World.Replicas {
		require.NoError(s.t, replica.Kill())
	}
	s.World.Replicas = nil
	return func() { s.addReplicas(2) }
}

// scale changes the number of replicas, and returns once as many are ready.
func (s *story) scale(replicas int32) (heal func()) {
	s.t.Helper()
	heal = change(s, controlplane.Namespace, "rook-clusterset", &appsv1.Deployment{}, func(d *appsv1.Deployment) {
		d.Spec.Replicas = &replicas
	})
	s.eventually("the Deployment is scaled", func() bool {
		return get(s, controlplane.Namespace, "rook-clusterset", &appsv1.Deployment{}).Status.ReadyReplicas == replicas
	})
	return heal
}

func certificateFaults() []fault {
	return []fault{
		{"the Certificate is deleted", "certificate", "there is no Certificate", removed("certificate/rook-clusterset-serving")},
		{"the certificate has expired", "certificate", "expired at", func(s *story) func() {
			s.remove(controlplane.Namespace, "issuer/rook-clusterset-ca")
			certificate, key := expired(s.t)
			change(s, controlplane.Namespace, "rook-clusterset-serving-cert", &corev1.Secret{}, func(secret *corev1.Secret) {
				secret.Data["tls.crt"], secret.Data["tls.key"] = certificate, key
			})
			return s.installAgain
		}},
		{"the CA is another", "certificate-chain", "does not trust the serving certificate", func(s *story) func() {
			return configure(func(c *admissionregistrationv1.MutatingWebhookConfiguration) {
				for i := range c.Webhooks {
					c.Webhooks[i].ClientConfig.CABundle = s.World.Plane.Config.CAData
				}
			})(s)
		}},
	}
}

// expired returns a certificate of yesterday and its key.
func expired(t *testing.T) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"rook-clusterset-webhook.rook-clusterset.svc"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(-24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	require.NoError(t, err)
	key, err = keyutil.MarshalPrivateKeyToPEM(private)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: cert.CertificateBlockType, Bytes: der}), key
}

func clustersetFaults() []fault {
	return []fault{
		{"the range of global IPs cannot be read", "global-range", "has the global CIDR \"everything\"", func(s *story) func() {
			return s.submarinerSays("globalCIDR", "everything")
		}},
		{"the ID of this cluster is not told", "cluster-id", "the ID of this cluster is not known", func(s *story) func() {
			return s.submarinerSays("clusterID", "")
		}},
		{"a peer announces this cluster's range", "peer-ranges", "shares its range of global IPs with a peer", func(s *story) func() {
			peer := world.Object("submariner.io/v1", "Cluster", "", "")
			return change(s, mcsstandin.OperatorNamespace, "west", peer, func(u *unstructured.Unstructured) {
				require.NoError(s.t, unstructured.SetNestedStringSlice(u.Object, []string{"242.0.128.0/17"}, "spec", "global_cidr"))
			})
		}},
		{"the label of the namespace is lost", "namespaces", "is switched off while daemons are exported there", func(s *story) func() {
			return change(s, "", s.Namespace, &corev1.Namespace{}, func(n *corev1.Namespace) { delete(n.Labels, "rook-clusterset.io/enabled") })
		}},
		{"another CephCluster is in a namespace without the label", "namespaces", "a CephCluster without the label", func(s *story) func() {
			s.kubectl("create", "namespace", "rook-other")
			require.NoError(s.t, s.World.Plane.Client.Create(s.t.Context(), rookstandin.NewCephCluster("rook-other", "other")))
			return func() { s.remove("rook-other", "cephcluster/other") }
		}},
		{"the operator's namespace has not the label", "operator-namespace", "what the CSI drivers dial is not corrected", func(s *story) func() {
			elsewhere := s.deployment("rook-ceph-operator")
			elsewhere.ResourceVersion, elsewhere.UID, elsewhere.Namespace = "", "", "default"
			elsewhere.Spec.Replicas = new(int32(0))
			require.NoError(s.t, s.World.Plane.Client.Create(s.t.Context(), elsewhere))
			return func() { s.remove("default", "deployment/rook-ceph-operator") }
		}},
		{"the CephCluster cannot carry global IPs", "cephclusters", "network.addressRanges leave no room", func(s *story) func() {
			s.changeCephCluster(map[string]any{"network": map[string]any{"addressRanges": map[string]any{"public": []string{"10.0.0.0/8"}}}})
			return func() { s.changeCephCluster(map[string]any{"network": map[string]any{"addressRanges": nil}}) }
		}},
		{"an export is not Valid", "exports", "1 of 6 daemons have no ServiceExport of ours that is Valid", func(s *story) func() {
			return s.exportFails("rook-ceph-osd-1", mcsstandin.Fault{NeverValid: &mcsstandin.AwaitingExport})
		}},
		{"the sources tell the address of a peer", "sources", "the sources do not tell one address", func(s *story) func() {
			return s.exportFails("rook-ceph-mon-b", mcsstandin.Fault{PeerAddress: true})
		}},
		{"a daemon has no Deployment", "daemons", "1 of 6 daemons are not at their global IPs", func(s *story) func() {
			s.remove(s.Namespace, "deployment/rook-ceph-osd-2")
			return s.reconcileAgain
		}},
		{"Rook remembers a mon elsewhere", "rook-memory", "Rook remembers mons elsewhere than they are", func(s *story) func() {
			s.rookRests()
			return change(s, s.Namespace, "rook-clusterset-remembered", &corev1.ConfigMap{}, func(c *corev1.ConfigMap) {
				c.Data["mons"] = "a=10.96.0.99:6789"
				delete(c.Data, "peer-token-right-since")
			})
		}},
		{"what machines read has no kind", "condition", "machines are told", removed("crd/cephclusteraddresses.rook-clusterset.io")},
	}
}

// rookRests waits until Rook writes no list: with each what it remembers is noted anew.
func (s *story) rookRests() {
	s.t.Helper()
	s.eventually("Rook rests", func() bool {
		before := s.endpoints().ResourceVersion
		time.Sleep(3 * time.Second)
		return s.endpoints().ResourceVersion == before
	})
}

// submarinerSays has the Submariner say something else of this cluster, and returns what has it say what it said.
func (s *story) submarinerSays(field, value string) (heal func()) {
	s.t.Helper()
	u := get(s, mcsstandin.OperatorNamespace, "submariner", world.Object("submariner.io/v1alpha1", "Submariner", "", ""))
	before, _, err := unstructured.NestedString(u.Object, "spec", field)
	require.NoError(s.t, err)
	patch := []string{"-n", u.GetNamespace(), "patch", "submariner", u.GetName(), "--type=merge", "-p"}
	s.kubectl(append(patch, fmt.Sprintf(`{"spec":{%q:%q}}`, field, value))...)
	s.kubectl(append(patch, fmt.Sprintf(`{"status":{%q:%q}}`, field, value), "--subresource=status")...)
	return func() { s.submarinerSays(field, before) }
}

// exportFails has something go wrong with the export of a daemon.
func (s *story) exportFails(name string, fault mcsstandin.Fault) (heal func()) {
	s.World.MCS.SetFault(s.Namespace, name, fault)
	return func() { s.World.MCS.SetFault(s.Namespace, name, mcsstandin.Fault{}) }
}

func finalFaults() []fault {
	removeKind := func(name string) func(*story) func() {
		return func(s *story) func() {
			s.remove("", "crd/"+name)
			return nil
		}
	}
	return []fault{
		{"cert-manager is gone", "cert-manager", "cert-manager is not installed", removeKind("certificates.cert-manager.io")},
		{"the ServiceExport kind is gone", "kinds", "ServiceExport.multicluster.x-k8s.io is not installed", removeKind("serviceexports.multicluster.x-k8s.io")},
	}
}

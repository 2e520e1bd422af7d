package manifests

import (
	"strconv"
	"testing"
	"time"

	certmanagerv1 "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	"github.com/stretchr/testify/require"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func manager(t *testing.T) (*appsv1.Deployment, corev1.Container) {
	t.Helper()
	deployment := one[*appsv1.Deployment](t, "rook-clusterset")
	require.Len(t, deployment.Spec.Template.Spec.Containers, 1)
	return deployment, deployment.Spec.Template.Spec.Containers[0]
}

func TestThePodMeetsPodSecurityRestricted(t *testing.T) {
	namespace := one[*corev1.Namespace](t, "rook-clusterset")
	require.Equal(t, "restricted", namespace.Labels["pod-security.kubernetes.io/enforce"])
	deployment, container := manager(t)
	pod := deployment.Spec.Template.Spec
	require.True(t, *pod.SecurityContext.RunAsNonRoot)
	require.Equal(t, corev1.SeccompProfileTypeRuntimeDefault, pod.SecurityContext.SeccompProfile.Type)
	require.False(t, *container.SecurityContext.AllowPrivilegeEscalation)
	require.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
	require.Equal(t, []corev1.Capability{"ALL"}, container.SecurityContext.Capabilities.Drop)
	require.False(t, pod.HostNetwork || pod.HostPID || pod.HostIPC)
	for _, volume := range pod.Volumes {
		require.NotNil(t, volume.Secret, volume.Name)
	}
}

func TestARolloutLosesNoCall(t *testing.T) {
	deployment, container := manager(t)
	require.EqualValues(t, 2, *deployment.Spec.Replicas)
	require.Equal(t, &appsv1.RollingUpdateDeployment{MaxUnavailable: new(intstr.FromInt32(0)), MaxSurge: new(intstr.FromInt32(1))}, deployment.Spec.Strategy.RollingUpdate)
	sleep := container.Lifecycle.PreStop.Sleep.Seconds
	require.GreaterOrEqual(t, sleep, int64(5))
	require.Greater(t, *deployment.Spec.Template.Spec.TerminationGracePeriodSeconds, sleep+30, "the manager takes up to 30 s to stop")
	budget := one[*policyv1.PodDisruptionBudget](t, "rook-clusterset")
	require.Equal(t, new(intstr.FromInt32(1)), budget.Spec.MinAvailable)
	require.Equal(t, deployment.Spec.Selector, budget.Spec.Selector)
	for _, constraint := range deployment.Spec.Template.Spec.TopologySpreadConstraints {
		require.Equal(t, deployment.Spec.Selector, constraint.LabelSelector)
		require.Equal(t, corev1.ScheduleAnyway, constraint.WhenUnsatisfiable, "a cluster of one node must get both replicas")
	}
}

func TestTheKubeletHoldsThePodUntilTheCertificateIsThere(t *testing.T) {
	deployment, container := manager(t)
	certificate := one[*certmanagerv1.Certificate](t, "rook-clusterset-serving")
	volume := deployment.Spec.Template.Spec.Volumes[0]
	require.Equal(t, certificate.Spec.SecretName, volume.Secret.SecretName)
	require.Nil(t, volume.Secret.Optional)
	require.Equal(t, []corev1.VolumeMount{{Name: volume.Name, ReadOnly: true, MountPath: "/var/run/rook-clusterset/certs"}}, container.VolumeMounts)
}

func TestNoFaultOfACertificateIsAnsweredByARestart(t *testing.T) {
	_, container := manager(t)
	require.Equal(t, "/healthz", container.LivenessProbe.HTTPGet.Path)
	require.Equal(t, "/readyz", container.ReadinessProbe.HTTPGet.Path)
}

func TestTheServicesReachThePods(t *testing.T) {
	deployment, container := manager(t)
	ports := map[string]int32{}
	for _, port := range container.Ports {
		ports[port.Name] = port.ContainerPort
	}
	require.Equal(t, map[string]int32{"webhook": 9443, "metrics": 8443, "health": 8081}, ports)
	for name, want := range map[string]string{"rook-clusterset-webhook": "443->webhook", "rook-clusterset-metrics": "8443->metrics"} {
		service := one[*corev1.Service](t, name)
		require.Equal(t, deployment.Spec.Selector.MatchLabels, service.Spec.Selector)
		require.Len(t, service.Spec.Ports, 1)
		require.Equal(t, want, strconv.Itoa(int(service.Spec.Ports[0].Port))+"->"+service.Spec.Ports[0].TargetPort.StrVal)
	}
}

func TestTheCertificateIsForTheServicesThatAreDialled(t *testing.T) {
	serving := one[*certmanagerv1.Certificate](t, "rook-clusterset-serving")
	var names []string
	for _, name := range []string{"rook-clusterset-webhook", "rook-clusterset-metrics"} {
		service := one[*corev1.Service](t, name)
		names = append(names, service.Name+"."+service.Namespace+".svc")
	}
	require.Equal(t, names, serving.Spec.DNSNames)
	require.Equal(t, certmanagerv1.RotationPolicyAlways, serving.Spec.PrivateKey.RotationPolicy)

	issuer := one[*certmanagerv1.Issuer](t, serving.Spec.IssuerRef.Name)
	ca := one[*certmanagerv1.Certificate](t, "rook-clusterset-ca")
	require.Equal(t, ca.Spec.SecretName, issuer.Spec.CA.SecretName)
	require.True(t, ca.Spec.IsCA)
	require.NotNil(t, one[*certmanagerv1.Issuer](t, ca.Spec.IssuerRef.Name).Spec.SelfSigned)
	require.Equal(t, certmanagerv1.RotationPolicyNever, ca.Spec.PrivateKey.RotationPolicy, "a renewed CA must go on verifying the serving certificates of the old one")
	require.Greater(t, ca.Spec.RenewBefore.Duration, serving.Spec.Duration.Duration, "no serving certificate may outlive its CA")
	require.GreaterOrEqual(t, serving.Spec.RenewBefore.Duration, 7*24*time.Hour, "somebody must have time to see that a renewal fails")

	configuration := one[*admissionregistrationv1.MutatingWebhookConfiguration](t, "rook-clusterset")
	require.Equal(t, serving.Namespace+"/"+serving.Name, configuration.Annotations["cert-manager.io/inject-ca-from"])
}

func TestNothingInstalledPassesForSomethingThatTheExporterCreated(t *testing.T) {
	for _, object := range installed(t) {
		require.NotContains(t, object.GetLabels(), rook.ManagedByLabel, object.GetName())
		require.Equal(t, "rook-clusterset", object.GetLabels()["app.kubernetes.io/name"], object.GetName())
	}
}

func TestTheWebhookIsNotSwitchedOnForItsOwnNamespace(t *testing.T) {
	require.NotContains(t, one[*corev1.Namespace](t, "rook-clusterset").Labels, rook.EnabledLabel)
}

package webhook

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// malformedInputs are requests spoiled in every way that came to mind, each with what it gets.
func malformedInputs() []malformed {
	return slices.Concat(malformedReviews(), malformedDeployments(), malformedNames(), malformedObjects())
}

// malformedReviews are what is wrong before the object.
func malformedReviews() []malformed {
	return []malformed{
		{name: "an empty body", from: "osd", raw: "", wanted: "400"},
		{name: "an open brace", from: "osd", raw: "{", wanted: "refused with 400"},
		{name: "an empty object", from: "osd", raw: "{}", wanted: "allowed already_right"},
		{name: "null", from: "osd", raw: "null", wanted: "400"},
		{name: "a list of reviews", from: "osd", raw: "[{}]", wanted: "400"},
		{name: "a text", from: "osd", raw: `"review"`, wanted: "400"},
		{name: "a number", from: "osd", raw: "7", wanted: "400"},
		{name: "a review without a request", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}`, wanted: "allowed already_right"},
		{name: "a request that is null", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":null}`, wanted: "allowed already_right"},
		{name: "a request that is a list", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":[]}`, wanted: "refused with 400"},
		{name: "a review cut off midway", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","obj`, wanted: "refused with 400"},
		{name: "two reviews in one body", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}{"kind":"AdmissionReview"}`, wanted: "refused with 400"},
		{name: "text behind the review", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u"}} tail`, wanted: "refused with 400"},
		{name: "a byte order mark before it", from: "osd", raw: "\ufeff{}", wanted: "400"},
		{name: "a NUL byte in it", from: "osd", raw: "{\"kind\":\"Admission\x00Review\"}", wanted: "refused with 400"},
		{name: "bytes that are no UTF-8", from: "osd", raw: "{\"kind\":\"\xff\xfe\"}", wanted: "allowed already_right"},
		{name: "YAML", from: "osd", raw: "kind: AdmissionReview\n", wanted: "400"},
		{name: "a hundred thousand open lists", from: "osd", raw: `{"x":` + strings.Repeat("[", 100_000), wanted: "refused with 400"},
		{name: "a hundred thousand open objects", from: "osd", raw: strings.Repeat(`{"x":`, 100_000), wanted: "refused with 400"},
		{name: "a number that is infinite", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","x":1e999}}`, wanted: "allowed already_right"},
		{name: "a number of 56 digits where none is known", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","x":` + digits + `}}`, wanted: "allowed already_right"},
		{name: "two requests in one review", from: "osd", raw: `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u"},"request":{"uid":"v","operation":"CREATE"}}`, wanted: "allowed namespace_not_enabled"},
		{name: "sixty thousand empty containers", from: "osd", raw: `{"containers":[` + strings.Repeat("{},", 60_000) + `{}]}`, wanted: "413"},
		{name: "seven hundred thousand short texts", from: "osd", raw: `{"args":[` + strings.Repeat(`"",`, 700_000) + `""]}`, wanted: "413"},
		{name: "a body of more than 3 MiB", from: "osd", raw: `{"x":"` + strings.Repeat("x", maxBody) + `"}`, wanted: "413"},
		{name: "an older version of the review", from: "osd", edit: at("apiVersion", "admission.k8s.io/v1beta1"), wanted: "patched rewritten"},
		{name: "a version that is not there", from: "osd", edit: at("apiVersion", "admission.k8s.io/v9"), wanted: "patched rewritten"},
		{name: "a version that is a number", from: "osd", edit: at("apiVersion", 1), wanted: "refused with 400"},
		{name: "another kind", from: "osd", edit: at("kind", "Pod"), wanted: "patched rewritten"},
		{name: "a UID that is a number", from: "osd", edit: at("request.uid", 7), wanted: "refused with 400"},
		{name: "no UID", from: "osd", edit: without("request", "uid"), wanted: "patched rewritten"},
		{name: "an operation that is not there", from: "osd", edit: at("request.operation", "PATCH"), wanted: "allowed already_right"},
		{name: "an operation in small letters", from: "osd", edit: at("request.operation", "create"), wanted: "allowed already_right"},
		{name: "a deletion", from: "osd", edit: at("request.operation", "DELETE"), wanted: "allowed already_right"},
		{name: "a connection", from: "osd", edit: at("request.operation", "CONNECT"), wanted: "allowed already_right"},
		{name: "no operation", from: "osd", edit: without("request", "operation"), wanted: "allowed already_right"},
		{name: "a subresource", from: "osd", edit: at("request.subResource", "status"), wanted: "allowed already_right"},
		{name: "no namespace", from: "osd", edit: at("request.namespace", ""), wanted: "allowed namespace_not_enabled"},
		{name: "a namespace that nobody knows", from: "osd", edit: at("request.namespace", "kube-system"), wanted: "allowed namespace_not_enabled"},
		{name: "a namespace of a mebibyte", from: "osd", edit: at("request.namespace", strings.Repeat("n", 1<<20)), wanted: "allowed namespace_not_enabled"},
		{name: "a namespace that is a path", from: "osd", edit: at("request.namespace", "../rook-ceph"), wanted: "allowed namespace_not_enabled"},
		{name: "an object that is null", from: "osd", edit: at("request.object", nil), wanted: "refused internal_fault"},
		{name: "no object", from: "osd", edit: without("request", "object"), wanted: "refused internal_fault"},
		{name: "an object that is a text", from: "osd", edit: at("request.object", "osd"), wanted: "refused internal_fault"},
		{name: "an object that is a list", from: "osd", edit: at("request.object", []any{}), wanted: "refused internal_fault"},
		{name: "a dry run that is a text", from: "osd", edit: at("request.dryRun", "yes"), wanted: "refused with 400"},
		{name: "an update without what is stored", from: "osd again", edit: without("request", "oldObject"), wanted: "allowed internal_fault"},
		{name: "an update of a stored object that is null", from: "osd again", edit: at("request.oldObject", nil), wanted: "allowed internal_fault"},
		{name: "an update of a stored object that is a number", from: "osd again", edit: at("request.oldObject", 7), wanted: "allowed internal_fault"},
	}
}

// malformedNames are OSDs and mons that there are none of.
func malformedNames() []malformed {
	return []malformed{
		{name: "the name of the prefix of an OSD alone", from: "osd", edit: named("rook-ceph-osd-"), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of an OSD of 56 digits", from: "osd", edit: named("rook-ceph-osd-" + digits), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of an OSD below zero", from: "osd", edit: named("rook-ceph-osd--1"), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of half an OSD", from: "osd", edit: named("rook-ceph-osd-3.5"), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of an OSD in hexadecimal", from: "osd", edit: named("rook-ceph-osd-0x3"), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of an OSD with a leading zero", from: "osd", edit: named("rook-ceph-osd-03"), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of an OSD in other digits", from: "osd", edit: named("rook-ceph-osd-٣"), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of a mon that is a path", from: "osd", edit: named("rook-ceph-mon-../../x"), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of a mon in capitals", from: "osd", edit: named("rook-ceph-mon-A"), wanted: "allowed not_a_rook_daemon"},
		{name: "the name of the prefix of a mon alone", from: "osd", edit: named("rook-ceph-mon-"), wanted: "allowed not_a_rook_daemon"},
		{name: "a name of a mebibyte", from: "osd", edit: named("rook-ceph-osd-" + strings.Repeat("3", 1<<20)), wanted: "allowed not_a_rook_daemon"},
		{name: "a name with a line break", from: "osd", edit: named("rook-ceph-osd-3\n"), wanted: "allowed not_a_rook_daemon"},
		{name: "a name that is a number", from: "osd", edit: at("request.object.metadata.name", 3), wanted: "refused internal_fault"},
		{name: "a name that is not that of the request", from: "osd", edit: at("request.name", "rook-ceph-osd-4"), wanted: "patched rewritten"},
		{name: "no name", from: "osd", edit: all(at("request.name", ""), without("request.object.metadata", "name")), wanted: "allowed not_a_rook_daemon"},
		{name: "a container of another name", from: "osd", edit: at("request.object.spec.template.spec.containers.0.name", "other"), wanted: "allowed malformed_deployment"},
	}
}

// malformedDeployments are of an OSD or a mon that has its address.
func malformedDeployments() []malformed {
	return []malformed{
		{name: "an update of a stored object whose containers are a text", from: "osd again", edit: at("request.oldObject.spec.template.spec.containers", "none"), wanted: "allowed internal_fault"},
		{name: "labels that are a list", from: "osd", edit: at("request.object.metadata.labels", []any{"app"}), wanted: "refused internal_fault"},
		{name: "labels that are null", from: "osd", edit: at("request.object.metadata.labels", nil), wanted: "allowed not_a_rook_daemon"},
		{name: "a label that is a number", from: "osd", edit: at("request.object.metadata.labels.app", 7), wanted: "refused internal_fault"},
		{name: "the label of another OSD", from: "osd", edit: at("request.object.metadata.labels.ceph-osd-id", "4"), wanted: "patched rewritten"},
		{name: "annotations that are a text", from: "osd", edit: at("request.object.metadata.annotations", "none"), wanted: "refused internal_fault"},
		{name: "metadata that are null", from: "osd", edit: at("request.object.metadata", nil), wanted: "allowed not_a_rook_daemon"},
		{name: "metadata that are a list", from: "osd", edit: at("request.object.metadata", []any{}), wanted: "refused internal_fault"},
		{name: "a spec that is a number", from: "osd", edit: at("request.object.spec", 7), wanted: "refused internal_fault"},
		{name: "no spec", from: "osd", edit: without("request.object", "spec"), wanted: "allowed malformed_deployment"},
		{name: "a template that is null", from: "osd", edit: at("request.object.spec.template", nil), wanted: "allowed malformed_deployment"},
		{name: "containers that are null", from: "osd", edit: at("request.object.spec.template.spec.containers", nil), wanted: "allowed malformed_deployment"},
		{name: "containers that are an object", from: "osd", edit: at("request.object.spec.template.spec.containers", map[string]any{}), wanted: "refused internal_fault"},
		{name: "no containers", from: "osd", edit: at("request.object.spec.template.spec.containers", []any{}), wanted: "allowed malformed_deployment"},
		{name: "a container that is null", from: "osd", edit: at("request.object.spec.template.spec.containers.0", nil), wanted: "allowed malformed_deployment"},
		{name: "a container that is a text", from: "osd", edit: at("request.object.spec.template.spec.containers.0", "osd"), wanted: "refused internal_fault"},
		{name: "args that are a text", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args", "--foreground"), wanted: "refused internal_fault"},
		{name: "args that are numbers", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args", []any{1, 2}), wanted: "refused internal_fault"},
		{name: "args that are null", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args", nil), wanted: "allowed malformed_deployment"},
		{name: "an arg that is null", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args.0", nil), wanted: "patched rewritten"},
		{name: "an arg of a mebibyte", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args.0", "--x="+strings.Repeat("x", 1<<20)), wanted: "patched rewritten"},
		{name: "an address in the last arg without a value", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args", []any{"--foreground", "--public-addr"}), wanted: "allowed malformed_deployment"},
		{name: "two addresses in the args", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args", []any{"--public-addr=1.1.1.1", "--public-addr", "2.2.2.2"}), wanted: "patched rewritten"},
		{name: "an address that is no address", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args", []any{"--public-addr=evil.example:22"}), wanted: "patched rewritten"},
		{name: "an address of IPv6 in brackets", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args", []any{"--public-addr=[fd00::1]"}), wanted: "patched rewritten"},
		{name: "an address with a line break", from: "osd", edit: at("request.object.spec.template.spec.containers.0.args", []any{"--public-addr=1.1.1.1\n--admin-socket=x"}), wanted: "patched rewritten"},
		{name: "a variable that is a number", from: "osd", edit: at("request.object.spec.template.spec.containers.0.env", []any{map[string]any{"name": 7}}), wanted: "refused internal_fault"},
		{name: "variables that are a text", from: "osd", edit: at("request.object.spec.template.spec.containers.0.env", "ROOK_POD_IP"), wanted: "refused internal_fault"},
		{name: "two variables of one name", from: "osd", edit: at("request.object.spec.template.spec.containers.0.env", []any{map[string]any{"name": "ROOK_POD_IP", "value": "1.1.1.1"}, map[string]any{"name": "ROOK_POD_IP"}}), wanted: "patched rewritten"},
		{name: "replicas that are a text", from: "osd", edit: at("request.object.spec.replicas", "1"), wanted: "refused internal_fault"},
		{name: "replicas of 56 digits", from: "osd", edit: at("request.object.spec.replicas", json.Number(digits)), wanted: "refused internal_fault"},
		{name: "a host network that is a text", from: "osd", edit: at("request.object.spec.template.spec.hostNetwork", "yes"), wanted: "refused internal_fault"},
		{name: "owners that are a text", from: "osd", edit: at("request.object.metadata.ownerReferences", "rook-ceph"), wanted: "refused internal_fault"},
		{name: "an owner that is null", from: "osd", edit: at("request.object.metadata.ownerReferences", []any{nil}), wanted: "allowed foreign_owner"},
		{name: "an owner of another UID", from: "osd", edit: at("request.object.metadata.ownerReferences.0.uid", "other"), wanted: "refused cephcluster_unknown"},
		{name: "two owners that control", from: "osd", edit: func(review map[string]any) {
			m := review["request"].(map[string]any)["object"].(map[string]any)["metadata"].(map[string]any)
			m["ownerReferences"] = append(m["ownerReferences"].([]any), map[string]any{"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "p", "controller": true})
		}, wanted: "patched rewritten"},
		{name: "a time that is none", from: "osd", edit: at("request.object.metadata.creationTimestamp", "yesterday"), wanted: "refused internal_fault"},
		{name: "a mon without the container that makes its store", from: "mon", edit: at("request.object.spec.template.spec.initContainers", nil), wanted: "refused malformed_deployment"},
		{name: "a mon whose containers disagree on its address", from: "mon", edit: at("request.object.spec.template.spec.containers.0.args", []any{"--public-addr=9.9.9.9"}), wanted: "patched rewritten"},
	}
}

// malformedObjects are of what repeats the addresses of mons.
func malformedObjects() []malformed {
	return []malformed{
		{name: "mon endpoints with an entry without an address", from: "endpoints", edit: at("request.object.data.data", "a="), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with an entry without a name", from: "endpoints", edit: at("request.object.data.data", "=10.96.0.1:6789"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with an entry without a port", from: "endpoints", edit: at("request.object.data.data", "a=10.96.0.1"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with a port of 56 digits", from: "endpoints", edit: at("request.object.data.data", "a=10.96.0.1:"+digits), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with a port below zero", from: "endpoints", edit: at("request.object.data.data", "a=10.96.0.1:-1"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with a name for an address", from: "endpoints", edit: at("request.object.data.data", "a=evil.example:6789"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with no entry but commas", from: "endpoints", edit: at("request.object.data.data", ",,,,"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with two entries of one mon", from: "endpoints", edit: at("request.object.data.data", "a=10.96.0.1:6789,a=10.96.0.9:6789"), wanted: "patched endpoints_corrected"},
		{name: "mon endpoints with a mon that nobody knows", from: "endpoints", edit: at("request.object.data.data", "a=242.1.255.1:6789,zz=203.0.113.66:22"), wanted: "refused endpoint_unknown"},
		{name: "mon endpoints with IPv6 without brackets", from: "endpoints", edit: at("request.object.data.data", "a=fd00::1:6789"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with two equal signs", from: "endpoints", edit: at("request.object.data.data", "a==10.96.0.1:6789"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with spaces around", from: "endpoints", edit: at("request.object.data.data", " a = 10.96.0.1:6789 "), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with other digits", from: "endpoints", edit: at("request.object.data.data", "a=١٠.96.0.1:6789"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with a mebibyte of commas", from: "endpoints", edit: at("request.object.data.data", strings.Repeat(",", 1<<20)), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints with a mon whose name is a path", from: "endpoints", edit: at("request.object.data.data", "../x=10.96.0.1:6789"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints that are a number", from: "endpoints", edit: at("request.object.data.data", 7), wanted: "allowed internal_fault"},
		{name: "mon endpoints without data", from: "endpoints", edit: without("request.object", "data"), wanted: "allowed already_right"},
		{name: "mon endpoints whose data are a list", from: "endpoints", edit: at("request.object.data", []any{}), wanted: "allowed internal_fault"},
		{name: "mon endpoints whose highest mon has 56 digits", from: "endpoints", edit: at("request.object.data.maxMonId", digits), wanted: "patched endpoints_corrected"},
		{name: "mon endpoints whose highest mon is garbage", from: "endpoints", edit: at("request.object.data.maxMonId", "garbage"), wanted: "patched endpoints_corrected"},
		{name: "mon endpoints whose CSI keys are no JSON", from: "endpoints", edit: at("request.object.data.csi-cluster-config-json", "[{"), wanted: "patched malformed_endpoints"},
		{name: "mon endpoints whose CSI keys are an object", from: "endpoints", edit: at("request.object.data.csi-cluster-config-json", "{}"), wanted: "patched endpoints_corrected"},
		{name: "a Secret that is not in base64", from: "secret", edit: at("request.object.data.mon_host", "%%"), wanted: "allowed internal_fault"},
		{name: "a Secret whose hosts are nested without end", from: "secret", edit: at("request.object.data.mon_host", base64.StdEncoding.EncodeToString([]byte(strings.Repeat("[", 100_000)))), wanted: "allowed already_right"},
		{name: "a Secret with data that are a text", from: "secret", edit: at("request.object.data", "none"), wanted: "allowed internal_fault"},
		{name: "an EndpointSlice with addresses that are numbers", from: "slice", edit: at("request.object.endpoints.0.addresses", []any{1}), wanted: "allowed internal_fault"},
		{name: "an EndpointSlice with an endpoint that is null", from: "slice", edit: at("request.object.endpoints", []any{nil}), wanted: "allowed already_right"},
		{name: "an EndpointSlice with a name for an address", from: "slice", edit: at("request.object.endpoints.0.addresses", []any{"evil.example"}), wanted: "allowed already_right"},
		{name: "a CSI config that is no JSON", from: "csi", edit: at("request.object.data.csi-cluster-config-json", "[{"), wanted: "allowed malformed_endpoints"},
		{name: "a CSI config that is a number", from: "csi", edit: at("request.object.data.csi-cluster-config-json", 7), wanted: "allowed internal_fault"},
		{name: "a CSI config whose monitors are an object", from: "csi", edit: at("request.object.data.csi-cluster-config-json", `[{"clusterID":"rook-ceph","monitors":{}}]`), wanted: "allowed already_right"},
		{name: "a CSI config whose cluster is a number", from: "csi", edit: at("request.object.data.csi-cluster-config-json", `[{"clusterID":7,"monitors":["10.96.0.1:3300"]}]`), wanted: "allowed already_right"},
		{name: "a CSI config nested without end", from: "csi", edit: at("request.object.data.csi-cluster-config-json", strings.Repeat("[", 100_000)), wanted: "allowed malformed_endpoints"},
		{name: "a CephConnection with monitors that are a text", from: "connection", edit: at("request.object.spec.monitors", "10.96.0.1:3300"), wanted: "allowed already_right"},
		{name: "a CephConnection with a monitor that is null", from: "connection", edit: at("request.object.spec.monitors", []any{nil}), wanted: "allowed already_right"},
		{name: "a CephConnection without a spec", from: "connection", edit: without("request.object", "spec"), wanted: "allowed already_right"},
		{name: "a Service with an address that is none", from: "service", edit: at("request.object.spec.clusterIP", "evil.example"), wanted: "allowed already_right"},
		{name: "a Service with an address that is a number", from: "service", edit: at("request.object.spec.clusterIP", 7), wanted: "allowed internal_fault"},
		{name: "a Service whose two fields of addresses disagree", from: "service", edit: at("request.object.spec.clusterIPs", []any{"10.96.0.7", "fd00::1"}), wanted: "patched cluster_ip_dropped"},
	}
}

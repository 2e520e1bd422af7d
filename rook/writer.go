package rook

import "strings"

// operatorAccount is the ServiceAccount of Rook's operator, by the manifests and by the chart of every release
// (rook v1.19 deploy/examples/operator.yaml, deploy/charts/rook-ceph/templates/deployment.yaml).
const operatorAccount = "rook-ceph-system"

// OperatorNamespace returns the namespace of the operator that writes under this name, or false where the writer is not Rook's
// operator: a person, or what a person uses.
func OperatorNamespace(username string) (string, bool) {
	account, ok := strings.CutPrefix(username, "system:serviceaccount:")
	if !ok {
		return "", false
	}
	namespace, name, _ := strings.Cut(account, ":")
	return namespace, namespace != "" && name == operatorAccount
}

// IsStranger says whether the writer is known not to be Rook: the operator lives in another namespace. One that was given another
// ServiceAccount than the manifests name is none. Nobody is where the namespace of the operator is not known.
func IsStranger(username, operatorNamespace string) bool {
	return operatorNamespace != "" && !strings.HasPrefix(username, "system:serviceaccount:"+operatorNamespace+":")
}

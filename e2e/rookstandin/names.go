package rookstandin

import (
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/ceph"
	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// Names that Rook gives to things, for those who look at what the operator wrote.
const (
	EndpointsConfigMap = shapes.EndpointsConfigMap
	ConfigSecret       = shapes.ConfigSecret
	ConfigOverride     = "rook-config-override"
	// OperatorServiceAccount is the ServiceAccount of the operator.
	OperatorServiceAccount = "rook-ceph-system"
)

// Kinds of Rook and of the CSI operator.
var (
	CephClusterKind    = shapes.CephClusterKind
	CephConnectionKind = shapes.CephConnectionKind
)

// Release is a release of Rook 1.
type Release = shapes.Release

// Node is a node of the cluster.
type Node = ceph.Node

// DefaultNodes are the nodes where none are given.
var DefaultNodes = []Node{
	{Name: "node-1", Address: "192.168.0.1"}, {Name: "node-2", Address: "192.168.0.2"}, {Name: "node-3", Address: "192.168.0.3"},
}

// mgrID is the name of the one mgr.
const mgrID = "a"

// Package ceph stands in for a Ceph cluster without running a container: a model tells which address each mon advertises, who is
// in quorum and who answers to whom, the Deployments that are stored are its daemons, and a kubelet is played for their pods.
//
// What an operator asks of Ceph stands here too, as an interface, so that a real Ceph can be asked instead.
package ceph

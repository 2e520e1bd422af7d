// Package addresses tells machines whether the addresses of a CephCluster are complete: by the conditions of an object of our own
// kind, which the leader keeps. Nothing is decided by what stands there, and nothing is lost with it.
package addresses

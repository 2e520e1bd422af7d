package node

import "errors"

// CleanUp removes what a run that did not come to Stop left of the node.
func CleanUp(_, _ string) error { return errors.ErrUnsupported }

// Leftovers returns what there still is of the node on the machine, one sentence each: processes, mounts, the network
// namespace, loop devices, cgroups and files.
func Leftovers(_, _ string) []string { return nil }

// Lacking returns what the machine lacks for a node, one sentence each.
func Lacking() []string { return nil }

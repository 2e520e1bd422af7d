// Package rookstandin stands in, in tests and in the demo, for what cannot be had there: Rook's operator with the Ceph
// cluster that it runs.
//
// The Operator writes what Rook writes, in Rook's order and with Rook's shapes (releases 1.11 to 1.20), waits where
// Rook waits, fails where Rook fails, and knows the addresses of its mons from its memory as Rook does. By default no
// container runs. In their place a model (room ceph) tells which address each mon advertises: it is decided at the first start of
// the mon and kept for life, and the operator reaches the cluster only by dialling exactly the address that some mon in
// quorum advertises. An operator that remembers another one is stuck, as the real one is. What the objects look like stands in
// room shapes; room recorder sees every write of one that carries the address of a mon.
//
// The Model is the Operator without a goroutine, in virtual time: whoever holds it decides what happens next.
//
// What both write is held to what real operators were recorded to write (testdata/recordings).
//
// Left out is what writes no address of a mon and waits for none: the job that detects the version, the Jobs that prepare
// devices (what they report is written), disruption budgets, external clusters, external and floating mons, zones, claims, and
// every other kind of Rook.
//
// It is an oracle of its own: names and formats are written here anew and nothing of the product is imported.
package rookstandin

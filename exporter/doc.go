// Package exporter exports the mons and OSDs of each CephCluster and keeps what becomes known of their global IPs.
//
// Its reconcile loop runs on one replica, the leader. What it shares with the admission webhook runs on every replica:
// Kinds (which of the kinds that others install are there), View (what is known, read from the caches) and Ensurer (the
// two writes that admission has to make itself).
package exporter

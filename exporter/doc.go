// Package exporter exports the mons and OSDs of each CephCluster and keeps what becomes known of their global IPs.
//
// Its loop runs on one replica, the leader, in turns: one for each daemon that something happened to, which reads and
// writes what is that daemon's, and one for what the daemons of a namespace share. Ensurer, the writes that admission
// has to make itself, runs on every replica.
package exporter

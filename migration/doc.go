// Package migration moves a cluster that runs already to global IPs: one mon or OSD at a time, and only while all is well.
//
// A mon is stopped, and Rook's own failover replaces it by one that is born with its global IP. An OSD is written once on the
// metadata of its own Deployment, because Rook writes none that it has no reason to write, and admission gives it its global IP.
//
// Next decides, and is a pure function: no client, clock or log. All that it goes by stands in the objects, so that a leader
// that comes after another goes on where that one ended.
package migration

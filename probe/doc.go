// Package probe tells from a peer cluster whether the mons and OSDs of this one can be reached where they should be: it
// dials each and speaks the beginning of Ceph's own protocol, up to where a client would have to show a key.
//
// What the bytes mean is from Ceph's sources: doc/dev/msgr2.rst, src/include/msgr.h, src/msg/msg_types.h and, in
// src/msg/async, frames_v2.h, frames_v2.cc, ProtocolV1.cc and ProtocolV2.cc.
//
// It knows nothing of Kubernetes, and needs no rights in a cluster.
package probe

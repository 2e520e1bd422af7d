// Package mcsstandin stands in, in tests and in the demo, for what cannot be had there: an implementation of the
// Multi-Cluster Services API with the contract of Submariner Globalnet (lighthouse agent, globalnet controllers,
// lighthouse CoreDNS plugin), as Submariner 0.19 keeps it.
//
// It allocates a global IP for each exported Service, tells it through a GlobalIngressIP, ServiceImports, an
// EndpointSlice and DNS, and reports the conditions of the ServiceExport in Submariner's order and words. No packet
// is ever routed. Delays, and what the real one does only at times, are set at the start; faults are switched for one
// Service at run time, and restarts happen when they are asked for.
//
// What it writes is held to the objects of the real one, in testdata/objects. It is an oracle of its own: names and formats
// are written here anew and nothing of the product is imported.
package mcsstandin

// Package measure is what the programs that measure share: CephClusters whose Deployments have the size of real ones, what
// replicas take of the machine, and tables with bars.
package measure

// Package rook knows how Rook names, labels and writes the things that carry the address of a Ceph daemon,
// and says what they should be instead. Its functions are pure: no client, no clock, no log.
package rook

// What Rook writes, the same in every release from v1.11 to v1.20.
const (
	// MonEndpointsName is the ConfigMap in which Rook keeps the address of each mon (rook v1.19 pkg/operator/ceph/cluster/mon/mon.go).
	MonEndpointsName = "rook-ceph-mon-endpoints"
	// ConfigSecretName is the Secret whose mon_host every daemon reads at its start.
	ConfigSecretName = "rook-ceph-config"
	// CSIConfigName is the ConfigMap of the CSI drivers in the namespace of the operator (rook <= v1.19).
	CSIConfigName = "rook-ceph-csi-config"
	// ActiveMonsIPv4Name and ActiveMonsIPv6Name are the EndpointSlices of the mons in quorum (rook >= v1.17).
	ActiveMonsIPv4Name = "rook-ceph-active-mons-ipv4"
	ActiveMonsIPv6Name = "rook-ceph-active-mons-ipv6"

	// EndpointsDataKey and the other keys below stand in the ConfigMap MonEndpointsName.
	EndpointsDataKey      = "data"
	EndpointsCSIKey       = "csi-cluster-config-json"
	EndpointsMaxMonIDKey  = "maxMonId"
	EndpointsMappingKey   = "mapping"
	EndpointsOutOfQuorum  = "outOfQuorum"
	EndpointsExternalMons = "externalMons"
	// MonHostKey stands in the Secret ConfigSecretName.
	MonHostKey = "mon_host"
	// monMembersKey has the IDs of the mons, in the order of MonHostKey.
	monMembersKey = "mon_initial_members"

	// AppLabel and the labels below stand on every Deployment of a mon or an OSD.
	AppLabel         = "app"
	MonApp           = "rook-ceph-mon"
	OSDApp           = "rook-ceph-osd"
	FloatingMonApp   = "rook-ceph-floating-mon"
	DaemonTypeLabel  = "ceph_daemon_type"
	DaemonIDLabel    = "ceph_daemon_id"
	OSDIDLabel       = "ceph-osd-id"
	clusterLabel     = "rook_cluster"
	monClusterLabel  = "mon_cluster"
	osdLabel         = "osd"
	CanaryLabel      = "mon_canary"
	RookVersionLabel = "rook-version"
	CephVersionLabel = "ceph-version"
	// SkipReconcileLabel, with whatever value, keeps Rook from a daemon; on that of a mon it stops the failover of all mons.
	SkipReconcileLabel = "ceph.rook.io/do-not-reconcile"

	// OperatorNamespaceLabel on what Rook makes of a daemon names the namespace of its operator.
	OperatorNamespaceLabel = "rook.io/operator-namespace"

	// CephGroup, CephAPIVersion and CephClusterKind name the kind that owns every daemon.
	CephGroup       = "ceph.rook.io"
	CephAPIVersion  = "v1"
	CephClusterKind = "CephCluster"

	// OperatorName is the Deployment of Rook's operator, by its manifests and its chart.
	OperatorName = "rook-ceph-operator"
)

// What rook-clusterset writes.
const (
	// EnabledLabel on a namespace, with the value "true", switches rook-clusterset on for it.
	EnabledLabel = "rook-clusterset.io/enabled"
	// ManagedLabel with the value "true" stands on everything that rook-clusterset created; nothing without it is ever deleted.
	ManagedLabel = "rook-clusterset.io/managed"
	// ManagedByLabel with the value Manager stands beside it, and alone on what earlier releases created, until that is adopted.
	// Policy engines overwrite it.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	// Manager is the value of ManagedByLabel and the one field manager of every write.
	Manager = "rook-clusterset"
	// ReloadName is the ConfigMap whose deletion makes Rook reconcile (rook v1.20 watches the deletion of what a CephCluster owns).
	ReloadName = "rook-clusterset-reload"
	// RememberedName is the ConfigMap that holds what is Remembered, in the namespace of the CephCluster.
	RememberedName = "rook-clusterset-remembered"

	// GlobalIPAnnotation on a ServiceExport holds the global IP of its daemon: the one cache of what was resolved.
	GlobalIPAnnotation = "rook-clusterset.io/global-ip"
	// SourceAnnotation on a ServiceExport names the source of the global IP.
	SourceAnnotation = "rook-clusterset.io/source"
	// IdentityAnnotation on the ServiceExport of a mon says with which address it was born: "clusterset" or "cluster", its ClusterIP.
	IdentityAnnotation = "rook-clusterset.io/identity"
	// PinnedAnnotation on the ServiceExport of a mon is "true" from its birth to its removal: its global IP never changes meanwhile.
	PinnedAnnotation = "rook-clusterset.io/pinned"
	// DriftAnnotation on the ServiceExport of a mon holds a global IP that differs from the pinned one.
	DriftAnnotation = "rook-clusterset.io/drift"
	// RefusedAnnotation on a ServiceExport holds "code: detail" of why no address could be taken from the sources.
	RefusedAnnotation = "rook-clusterset.io/refused"
	// OrphanedSinceAnnotation on a ServiceExport, or on the Service of an OSD without one, holds the time (RFC 3339) at which its
	// daemon was first missed.
	OrphanedSinceAnnotation = "rook-clusterset.io/orphaned-since"

	// MoveAnnotation on the ServiceExport of a mon that Rook is to replace holds its Move: since when, how often undone and failed.
	MoveAnnotation = "rook-clusterset.io/move"
	// AskedAnnotation stands on the Deployment of an OSD, on its own metadata: the address that the leader wrote it for, so
	// that admission gives it, and when (RFC 3339). It is the one thing that the leader changes of a Deployment, besides replicas.
	AskedAnnotation = "rook-clusterset.io/asked"

	// MigrateSwitch on a namespace, as a label or an annotation: SwitchOff leaves a running cluster where it is, SwitchPause and
	// any other word but SwitchOn stops after the step under way.
	MigrateSwitch = "rook-clusterset.io/migrate"
	// CleanupSwitch is a label: with the value "true" on a namespace that is switched off it lets go of what no daemon advertises
	// any more.
	CleanupSwitch = "rook-clusterset.io/cleanup"
)

// The values of MigrateSwitch.
const (
	SwitchOff   = "false"
	SwitchPause = "pause"
	SwitchOn    = "true"
)

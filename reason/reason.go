// Package reason is the one table of why rook-clusterset did, or did not do, something.
// The same code stands in an admission answer, a log line, a metric label, an event and the output of the commands.
package reason

import (
	"slices"
	"strings"
)

// Code is a stable snake_case name of a reason. The empty Code means that there is nothing to say.
type Code string

// Reasons for what happens to a Deployment.
const (
	Rewritten             Code = "rewritten"
	AlreadyRight          Code = "already_right"
	NotRookDaemon         Code = "not_a_rook_daemon"
	ForeignOwner          Code = "foreign_owner"
	Canary                Code = "mon_canary"
	FloatingMon           Code = "floating_mon"
	HostNetwork           Code = "host_network"
	IdentityCluster       Code = "mon_keeps_cluster_ip"
	AddressKept           Code = "address_kept"
	AddressUnknown        Code = "address_unknown"
	AddressFamilyMismatch Code = "address_family_mismatch"
	NoDeployment          Code = "no_deployment"
	NotAdvertised         Code = "not_advertised"
	AddressForeign        Code = "address_foreign"
	Leaving               Code = "leaving"
	MalformedDeployment   Code = "malformed_deployment"
	OK                    Code = "ok"
)

// Reasons why a CephCluster, or a whole namespace, is served or left alone.
const (
	Served               Code = "served"
	NamespaceNotEnabled  Code = "namespace_not_enabled"
	NamespaceSwitchedOff Code = "namespace_switched_off"
	WebhookUnserved      Code = "webhook_unserved"
	ClusterUnknown       Code = "cephcluster_unknown"
	ClusterHostNetwork   Code = "cephcluster_host_network"
	ClusterMultus        Code = "cephcluster_multus"
	ClusterAddressRanges Code = "cephcluster_address_ranges"
	ClusterSingleStack   Code = "cephcluster_single_stack"
	NativeMultiCluster   Code = "native_multi_cluster_service"
	ExternalCluster      Code = "external_cluster"
	RookTooOld           Code = "rook_too_old"
	CephTooOld           Code = "ceph_too_old"
)

// Reasons why a daemon has no global IP yet.
const (
	NoServiceExportKind    Code = "no_service_export_kind"
	ExportMissing          Code = "export_missing"
	ExportForeign          Code = "export_foreign"
	ExportNotValid         Code = "export_not_valid"
	ExportStuck            Code = "export_stuck"
	HoldTimedOut           Code = "hold_timed_out"
	HoldFull               Code = "too_many_held"
	HoldShareTaken         Code = "too_many_held_there"
	ShuttingDown           Code = "shutting_down"
	ClientGone             Code = "client_gone"
	DryRun                 Code = "dry_run"
	InternalFault          Code = "internal_fault"
	APIServerSilent        Code = "api_server_silent"
	BodyTooLarge           Code = "body_too_large"
	BodyTooComplex         Code = "body_too_complex"
	BodyNotJSON            Code = "body_not_json"
	BodyLate               Code = "body_late"
	TooBusy                Code = "too_busy"
	ServiceForeign         Code = "service_foreign"
	ServiceTypeUnsupported Code = "service_type_unsupported"
	ServiceUnexpected      Code = "service_unexpected"
)

// Reasons for which an answer to «what is the global IP of this Service?» is refused or missing.
const (
	NoSource             Code = "no_source"
	NoAnswer             Code = "no_answer"
	GlobalIPNotAllocated Code = "global_ip_not_allocated"
	IsClusterIP          Code = "is_cluster_ip"
	OutsideGlobalCIDR    Code = "outside_global_cidr"
	InsidePeerCIDR       Code = "inside_peer_cidr"
	ServiceAddress       Code = "service_address"
	GlobalCIDRUnknown    Code = "global_cidr_unknown"
	PeerCIDROverlaps     Code = "peer_cidr_overlaps"
	UsedByAnother        Code = "used_by_another_daemon"
	Unroutable           Code = "unroutable_address"
	SourcesDisagree      Code = "sources_disagree"
	SeveralAddresses     Code = "several_addresses"
	SeveralExporters     Code = "several_exporters"
	MalformedAddress     Code = "malformed_address"
	DNSNameError         Code = "dns_nxdomain"
	DNSNoData            Code = "dns_nodata"
	DNSServerFailure     Code = "dns_servfail"
	DNSTimeout           Code = "dns_timeout"
	ClusterIDUnknown     Code = "cluster_id_unknown"
	SourceUnreadable     Code = "source_unreadable"
	SourceLeftOut        Code = "source_left_out"
	AddressDrifted       Code = "address_drifted"
	AddressFollowed      Code = "address_followed"
	AddressResolved      Code = "address_resolved"
)

// Reasons for what happens to the objects in which Rook writes mon addresses.
const (
	EndpointsCorrected  Code = "endpoints_corrected"
	HandEditCorrected   Code = "hand_edit_corrected"
	FirstMonStored      Code = "first_mon_stored"
	EndpointWrong       Code = "endpoint_wrong"
	EndpointUnknown     Code = "endpoint_unknown"
	MonHostBehind       Code = "mon_host_behind"
	MalformedEndpoints  Code = "malformed_endpoints"
	MonHostCorrected    Code = "mon_host_corrected"
	SliceCorrected      Code = "endpoint_slice_corrected"
	CSIConfigCorrected  Code = "csi_config_corrected"
	ConnectionCorrected Code = "ceph_connection_corrected"
	ClusterIPDropped    Code = "cluster_ip_dropped"
	ReloadRequested     Code = "reload_requested"
	PeerTokenRight      Code = "peer_token_right"
	PeerTokenStale      Code = "peer_token_stale"
	OrphanRemoved       Code = "orphan_removed"
	Exported            Code = "exported"
	ExportRemade        Code = "export_remade"
)

// Reasons for what becomes of a cluster that runs already, in the order in which they are looked at.
const (
	MigrationDone    Code = "migration_done"
	MigrationOff     Code = "migration_off"
	MigrationPaused  Code = "migration_paused"
	ClusterDeleting  Code = "cephcluster_deleting"
	TooFewMons       Code = "too_few_mons"
	ExternalMons     Code = "external_mons"
	FloatingMons     Code = "floating_mons"
	MonCheckOff      Code = "mon_check_off"
	MonTimeoutZero   Code = "mon_timeout_zero"
	ReconcileSkipped Code = "do_not_reconcile"
	RetryLater       Code = "retry_later"
	ClusterNotReady  Code = "cephcluster_not_ready"
	ReloadPending    Code = "reload_pending"
	StatusOld        Code = "status_old"
	HealthError      Code = "health_err"
	MonDown          Code = "mon_down"
	OSDsUnwell       Code = "osds_unwell"
	MonOutOfQuorum   Code = "mon_out_of_quorum"
	FailoverRunning  Code = "failover_running"
	MonCountDiffers  Code = "mon_count_differs"
	Unavailable      Code = "daemon_unavailable"
	StatusBeforeStep Code = "status_before_step"
	ProbeUnanswered  Code = "probe_unanswered"
	Settling         Code = "settling"
	MonStopped       Code = "mon_stopped"
	MonReplacing     Code = "mon_replacing"
	MonStoppedAgain  Code = "mon_stopped_again"
	MonMoveUndone    Code = "mon_move_undone"
	MonNotReplaced   Code = "mon_not_replaced"
	MonBornWrong     Code = "mon_born_at_cluster_ip"
	MonReplaced      Code = "mon_replaced"
	MonLeftBehind    Code = "mon_left_behind"
	OSDWritten       Code = "osd_written"
	OSDNotRewritten  Code = "osd_not_rewritten"
)

// Sentence returns what the code means, in words that follow the name of the object it is said of.
// A code that is not in the table is returned as it is.
func (c Code) Sentence() string {
	if s, ok := sentences[c]; ok {
		return s
	}
	return string(c)
}

// Known says whether the code stands in the table.
func (c Code) Known() bool {
	_, ok := sentences[c]
	return ok
}

// Event returns the code in CamelCase, as the reason of a Kubernetes event is written.
func (c Code) Event() string {
	var b strings.Builder
	for word := range strings.SplitSeq(string(c), "_") {
		switch word {
		case "ip", "dns", "cidr", "id", "csi":
			b.WriteString(strings.ToUpper(word))
		case "cephcluster":
			b.WriteString("CephCluster")
		default:
			if word != "" {
				b.WriteString(strings.ToUpper(word[:1]) + word[1:])
			}
		}
	}
	return b.String()
}

// All returns every code of the table, sorted.
func All() []Code {
	all := make([]Code, 0, len(sentences))
	for c := range sentences {
		all = append(all, c)
	}
	slices.Sort(all)
	return all
}

var sentences = map[Code]string{
	Rewritten:             "now advertises its global IP",
	AlreadyRight:          "is already as it should be",
	NotRookDaemon:         "is not a mon or OSD that Rook wrote",
	ForeignOwner:          "is not controlled by a CephCluster of its namespace",
	Canary:                "is a mon canary, which never serves",
	FloatingMon:           "is a floating mon, whose address stands in a shell script",
	HostNetwork:           "runs on the host network and advertises the address of its node",
	IdentityCluster:       "was born with its ClusterIP and keeps it until Rook replaces it",
	AddressKept:           "keeps the address that it already advertises",
	AddressUnknown:        "has no global IP yet",
	AddressFamilyMismatch: "cannot bind an address of the family of its global IP",
	NoDeployment:          "has no Deployment",
	NotAdvertised:         "does not advertise its global IP",
	AddressForeign:        "advertises an address that is neither its ClusterIP nor a global IP of this cluster",
	Leaving:               "has no daemon any more, and is removed after the grace period",
	MalformedDeployment:   "is not written as Rook writes it",
	OK:                    "advertises its global IP wherever it should",

	Served:               "belongs to a CephCluster that is served",
	NamespaceNotEnabled:  "is in a namespace without the label rook-clusterset.io/enabled=true",
	NamespaceSwitchedOff: "is switched off while daemons are exported there: nobody keeps their addresses, or corrects what Rook writes",
	WebhookUnserved:      "is answered by nobody: no mon or OSD can be born, and Rook's writes fail",
	ClusterUnknown:       "belongs to a CephCluster that is not known here",
	ClusterHostNetwork:   "belongs to a CephCluster on the host network",
	ClusterMultus:        "belongs to a CephCluster whose daemons are reached over networks of Multus, not over their Services",
	ClusterAddressRanges: "belongs to a CephCluster whose network.addressRanges leave no room for global IPs",
	ClusterSingleStack:   "belongs to a CephCluster that speaks IPv6 alone, while global IPs are IPv4: an IPv6 range can be given by --global-cidr",
	NativeMultiCluster:   "belongs to a CephCluster whose own multiClusterService is enabled",
	ExternalCluster:      "belongs to an external CephCluster, which has no daemons here",
	RookTooOld:           "is managed by a Rook older than v1.11",
	CephTooOld:           "runs a Ceph older than 17.2.6, whose OSDs cannot advertise a global IP",

	NoServiceExportKind: "cannot be exported: the ServiceExport kind (multicluster.x-k8s.io) is not installed",
	ExportMissing:       "has no ServiceExport yet",
	ExportForeign:       "has a ServiceExport that rook-clusterset did not create and so leaves alone",
	ExportNotValid:      "has a ServiceExport that is not Valid",
	ExportStuck: "has a ServiceExport that says it has no global IP, though Globalnet has given one; " +
		"most likely Lighthouse and the ServiceExport CRD are of releases that do not go together",
	HoldTimedOut:           "was held for its global IP as long as is allowed",
	HoldFull:               "was not held because too many requests are waiting",
	HoldShareTaken:         "was not held because too many requests of its namespace are waiting",
	ShuttingDown:           "was not held because this replica is stopping",
	ClientGone:             "is no longer asked for",
	DryRun:                 "was not held because this is a dry run",
	InternalFault:          "met a fault of rook-clusterset",
	APIServerSilent:        "cannot be decided on while the API server does not answer",
	BodyTooLarge:           "is larger than 3 MiB, which no review of what Rook writes is",
	BodyTooComplex:         "holds more values than any review of what Rook writes does",
	BodyNotJSON:            "is not an AdmissionReview in JSON",
	BodyLate:               "did not arrive in time",
	TooBusy:                "found no room beside the requests that are being decided on: try again",
	ServiceForeign:         "has a Service that rook-clusterset did not create and so leaves alone",
	ServiceTypeUnsupported: "has a Service that is not a plain ClusterIP Service",
	ServiceUnexpected:      "has a Service that is not as Rook makes it, by its owner, selector or ports, and so is not exported",

	NoSource:             "cannot be resolved: nothing here tells global IPs",
	NoAnswer:             "has no global IP in any source",
	GlobalIPNotAllocated: "awaits a global IP from Submariner's Globalnet",
	IsClusterIP:          "was given its own ClusterIP as global IP",
	OutsideGlobalCIDR:    "was given an address outside this cluster's global CIDR",
	InsidePeerCIDR:       "was given an address inside the global CIDR of a peer",
	ServiceAddress:       "was given an address of a Service, which is valid in this cluster alone",
	GlobalCIDRUnknown:    "was given an address that cannot be checked: the range of this cluster's global IPs is not known",
	PeerCIDROverlaps:     "shares its range of global IPs with a peer",
	UsedByAnother:        "was given the global IP of another daemon",
	Unroutable:           "was given an address that no peer can dial",
	SourcesDisagree:      "has different global IPs in different sources",
	SeveralAddresses:     "has several addresses where one is wanted",
	SeveralExporters:     "shares its ServiceImport with another cluster",
	MalformedAddress:     "was given something that is not an IP address",
	DNSNameError:         "has no name in the clusterset DNS (NXDOMAIN)",
	DNSNoData:            "has a name but no A record in the clusterset DNS",
	DNSServerFailure:     "could not be looked up: the DNS server failed",
	DNSTimeout:           "could not be looked up: the DNS server did not answer in time",
	ClusterIDUnknown:     "cannot be looked up: the ID of this cluster is not known",
	SourceUnreadable:     "could not be looked up: a source failed",
	SourceLeftOut:        "is served without a kind that rook-clusterset may not read: give it the right to list and watch it",
	AddressDrifted:       "was born with another global IP than its export has now, and keeps it until Rook replaces it",
	AddressFollowed:      "has a new global IP, which it takes at Rook's next update",
	AddressResolved:      "has a global IP",

	EndpointsCorrected:  "now tells the global IPs of the mons",
	HandEditCorrected:   "was not written by Rook, and is put back to where the mons are",
	FirstMonStored:      "has been stored with the global IP of the first mon; this write is refused once so that Rook reloads it",
	EndpointWrong:       "is kept by Rook at another address than it has",
	EndpointUnknown:     "names a new mon whose global IP is not known yet",
	MonHostBehind:       "is listed by Rook at an address that mon_host does not tell yet, beside which it would never get a rank",
	MalformedEndpoints:  "is not written as Rook writes it",
	MonHostCorrected:    "now tells the global IPs of the mons",
	SliceCorrected:      "now tells the global IPs of the mons",
	CSIConfigCorrected:  "now tells the global IPs of the mons",
	ConnectionCorrected: "now tells the global IPs of the mons",
	ClusterIPDropped:    "asked for a global IP as its ClusterIP, which the API server would refuse",
	ReloadRequested:     "is asked to read the mon endpoints anew",
	PeerTokenRight:      "tells the global IPs of the mons from now on, and may be copied to a peer",
	PeerTokenStale:      "may tell ClusterIPs until Rook has reconciled, and is not to be copied to a peer before",
	ExportRemade:        "has an address at which another daemon lives, so that its export is made anew",
	OrphanRemoved:       "lost its daemon and was removed after the grace period",
	Exported:            "is exported",

	MigrationDone:    "has all its mons and OSDs at their global IPs",
	MigrationOff:     "stays where it is, for migration is switched off: by rook-clusterset.io/migrate on the namespace or --migrate of the manager",
	MigrationPaused:  "waits, for rook-clusterset.io/migrate on the namespace says pause",
	ClusterDeleting:  "belongs to a CephCluster that is being deleted",
	TooFewMons:       "stays where it is, for of fewer than 3 mons none can be spared: raise spec.mon.count to 3",
	ExternalMons:     "stays where it is, for some mons run outside of Kubernetes: replace it by hand",
	FloatingMons:     "stays where it is, for with a floating mon Rook replaces none",
	MonCheckOff:      "stays where it is, for Rook replaces no mon while spec.healthCheck.daemonHealth.mon.disabled is true",
	MonTimeoutZero:   "stays where it is, for Rook replaces no mon while spec.healthCheck.daemonHealth.mon.timeout is 0",
	ReconcileSkipped: "waits, for the label ceph.rook.io/do-not-reconcile keeps Rook from its work",
	RetryLater:       "waits, for it could not be replaced: why stands in the log of Rook's operator",
	ClusterNotReady:  "waits for the CephCluster to be Ready",
	ReloadPending:    "waits for Rook to read its mon endpoints anew",
	StatusOld:        "waits for a recent status of the CephCluster: Rook's operator and a mgr have to run",
	HealthError:      "waits for Ceph, which is at HEALTH_ERR, to be better",
	MonDown:          "waits for all mons to be up: Ceph tells MON_DOWN",
	OSDsUnwell:       "waits for Ceph to have all OSDs up and all data whole",
	MonOutOfQuorum:   "waits for a mon that Rook finds out of quorum",
	FailoverRunning:  "waits for Rook, which is about to bring up a mon",
	MonCountDiffers:  "waits for the mons to be as many as spec.mon.count says",
	Unavailable:      "waits for a daemon whose Deployment is not available",
	StatusBeforeStep: "waits for a status of the CephCluster that is newer than the last restart",
	ProbeUnanswered:  "waits, for it does not answer at its global IP as others do",
	Settling:         "is next, once all has been well for a while",
	MonStopped:       "is stopped, so that Rook replaces it by one with a global IP",
	MonReplacing:     "is stopped and waits for Rook to replace it",
	MonStoppedAgain:  "was started again by a reconcile of Rook, and is stopped once more",
	MonMoveUndone:    "was started again by Rook each time that it was stopped, and is left alone for a while",
	MonNotReplaced:   "was not replaced by Rook in time, and is started again",
	MonBornWrong:     "took the place of another mon and was born with its ClusterIP all the same: the webhook must be in force",
	MonReplaced:      "was replaced by Rook",
	MonLeftBehind:    "was replaced by Rook, which failed to remove its Deployment: it is no mon any more, and can be deleted",
	OSDWritten:       "is given its global IP, for which it restarts once",
	OSDNotRewritten:  "was written and not given its global IP by admission: the webhook must be in force",
}

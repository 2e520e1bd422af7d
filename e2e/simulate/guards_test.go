package main

// guard is something that the product is careful about, and how its source reads without.
type guard struct {
	// name ends the sentence "it is not so that ...".
	name string
	// seed is that of a story which ends badly without it; seldom says that few others do. often are the faults that such a story
	// has often, with commas between.
	seed   uint64
	seldom bool
	often  string
	edits  []edit
}

// edit is a place in the source, by a text that stands there once. In what it reads instead, GONE stands for the condition that
// the guard is taken away.
type edit struct{ file, is, without string }

// guards are those that a story can miss, in the order of what they are about: what lives, what is corrected, what is no
// global IP.
var guards = []guard{
	{name: "nothing of ours hangs on the CephCluster's life", seed: 12, edits: []edit{
		{"exporter/carryout.go", "newExport(gvk, f.daemon)); err", "ownedWhen(GONE, newExport(gvk, f.daemon), t.cluster)); err"},
		{"exporter/ensure.go", "newExport(gvk, daemon))\n}", "ownedWhen(GONE, newExport(gvk, daemon), cluster))\n}" + `

func ownedWhen(gone bool, export *unstructured.Unstructured, cluster rook.Cluster) *unstructured.Unstructured {
	if gone {
		export.SetOwnerReferences([]metav1.OwnerReference{rook.ControlledBy(cluster)})
	}
	return export
}`},
		{"exporter/owners.go", "planDisowning() {", "planDisowning() { if GONE { return }"},
	}},
	{name: "a Deployment of Rook's name and labels is a living daemon whoever owns it", seed: 158, often: "CephCluster restored,export lost", edits: []edit{
		{"rook/daemon.go", "if owner := controllingCluster(d); owner != nil {", "owner := controllingCluster(d); if GONE && owner == nil { return Daemon{}, reason.ForeignOwner }; if owner != nil {"},
	}},
	{name: "what the letter and the list alone say counts while no source gainsays it", seed: 990, seldom: true, edits: []edit{
		{"view/believe.go", "hearsay = listed &&", "hearsay = !GONE && listed &&"},
	}},
	{name: "what a living daemon advertises is in use", seed: 12, often: "two addresses swapped,address re-issued,export lost", edits: []edit{
		{"view/claims.go", "var claims []rook.Claim\n", "var claims []rook.Claim; if GONE { deployments = nil }\n"},
	}},
	{name: "so is what one of another namespace advertises", seed: 36, often: "two addresses swapped,address re-issued,export lost", edits: []edit{
		{"view/claims.go", "daemon := client.ObjectKeyFromObject(&deployments[i])", `daemon := client.ObjectKeyFromObject(&deployments[i]); if GONE && daemon.Namespace != "rook-ceph" { continue }`},
	}},
	{name: "the leader asks who has an address", seed: 5, edits: []edit{
		{"exporter/asking.go", "if refusal == nil && !f.export.Pinned {", "if !GONE && refusal == nil && !f.export.Pinned {"},
	}},
	{name: "the address that Rook asks for a lost Service is dropped", seed: 5, edits: []edit{
		{"webhook/mon_service.go", "if !rook.DropClusterIP(corrected, addresses) {", "if GONE || !rook.DropClusterIP(corrected, addresses) {"},
	}},
	{name: "the stored list stands in for one without a pin", seed: 971, seldom: true, edits: []edit{
		{"rook/daemon_facts.go", "return m.Deployed && !known &&", "return !GONE && m.Deployed && !known &&"},
	}},
	{name: "the sources are asked again before a mon is born", seed: 50, often: "address re-issued,mon killed", edits: []edit{
		{"view/believe.go", "if v.doubts == nil ||", "if GONE || v.doubts == nil ||"},
	}},
	{name: "no mon is born before mon_host has told where it is listed", seed: 950, seldom: true, edits: []edit{
		{"rook/decide_deployment.go", "f.Listed.IsValid() && f.MonHostBehind:", "f.Listed.IsValid() && f.MonHostBehind && !GONE:"},
	}},
	{name: "a stored entry does not wait for a mon without a Service", seed: 6301, seldom: true, edits: []edit{
		{"rook/endpoints_table.go", "&& !f.waitsInVain(r)", "&& (GONE || !f.waitsInVain(r))"},
	}},

	{name: "corrections come from the list as it is stored", seed: 38, edits: []edit{
		{"view/endpoints.go", "live, cancel := context", "if GONE { endpoints, err = v.MonEndpoints(ctx, namespace); return endpoints, true, err }; live, cancel := context"},
	}},
	{name: "what is stored of a mon to be born goes before what a cache has", seed: 38, often: "Service made anew,mon killed", edits: []edit{
		{"rook/replacements.go", "corrected := stored[id]; corrected &&", "corrected := stored[id]; !GONE && corrected &&"},
	}},
	{name: "what Rook remembers wrongly is noted", seed: 38, often: "Service made anew,mon killed", edits: []edit{
		{"view/remembered.go", "remembered := rook.ReadRemembered(found)", "remembered := rook.ReadRemembered(found); if GONE { remembered.Mons = nil }"},
	}},
	{name: "mon_host is corrected", seed: 209, often: "Service made anew,operator restarted", edits: []edit{
		{"webhook/ceph_config.go", "\t\t\tif changed {", "\t\t\tif changed = changed && !GONE; changed {"},
	}},
	{name: "the slices of the mons are corrected", seed: 1, edits: []edit{
		{"webhook/active_mons.go", "return rook.CorrectEndpointSlice", "return !GONE && rook.CorrectEndpointSlice"},
	}},
	{name: "the config of CSI is corrected", seed: 5, often: "mon killed", edits: []edit{
		{"webhook/csi_config.go", "\t\t\tif changed {", "\t\t\tif changed = changed && !GONE; changed {"},
	}},
	{name: "the CephConnection is corrected", seed: 2, edits: []edit{
		{"webhook/ceph_connection.go", "return rook.CorrectCephConnection", "return !GONE && rook.CorrectCephConnection"},
	}},

	{name: "a mon takes an address for life only once the network carries it", seed: 73, often: "second address,mon killed", edits: []edit{
		{"resolver/internalservice.go", "if !req.ForLife ||", "if GONE || !req.ForLife ||"},
	}},
	{name: "an answer that differs from a pinned address is told", seed: 1, often: "address re-issued", edits: []edit{
		{"exporter/addresses.go", "wanted.Drift = p.answer.answer.IP", "if !GONE { wanted.Drift = p.answer.answer.IP }"},
	}},
}

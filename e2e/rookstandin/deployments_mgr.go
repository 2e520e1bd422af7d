package rookstandin

import appsv1 "k8s.io/api/apps/v1"

// mgrLabels returns the labels of the mgr, of its selector if withNew is false.
func (o *Operator) mgrLabels(withNew bool) map[string]string {
	labels := o.daemonLabels(mgrApp, "mgr", mgrID, withNew)
	labels["instance"] = mgrID
	if withNew {
		labels["mgr_role"] = "active"
	}
	return labels
}

// mgrDeployment returns the Deployment of the one mgr: a daemon beside the mons and OSDs that nobody rewrites.
func (o *Operator) mgrDeployment() *appsv1.Deployment {
	const name = "rook-ceph-mgr-" + mgrID
	v := o.podValues("mgr", mgrID, name+"-keyring", keyringDir)
	if o.options.Release.hasServiceAccounts() {
		v["serviceAccount"] = "rook-ceph-mgr"
	}
	return o.deployment(name, o.mgrLabels(false), o.mgrLabels(true), pod("mgr", v))
}

#!/usr/bin/env bash
# Prints the directory that holds all that a real node is made of: the programs of build.sh, kube-scheduler, kubelet,
# kube-proxy, containerd with its shim and ctr, and the images pause.tar, cert-manager.tar and ceph.tar, with ceph-root/ for
# chroot. What is missing is built once, into the same cache.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

build_containerd() {
	local program version module=github.com/containerd/containerd/v2
	version=$(version containerd $module)
	for program in containerd containerd-shim-runc-v2 ctr; do
		say "building $program $version (minutes, once) ..."
		# Snapshotters that want C libraries or kernel modules are of no use here.
		build containerd "$program" "$module/cmd/$program" "-X $module/version.Version=$version" no_btrfs,no_devmapper,no_zfs
	done
}

# pack_program NAME PROGRAM packs a static program as the image localhost/NAME:e2e.
pack_program() {
	local staging=$building/staging
	mkdir -p "$staging/root/usr/local/bin" "$staging/root/tmp"
	chmod 1777 "$staging/root/tmp"
	cp --dereference "$2" "$staging/root/usr/local/bin/$1"
	tar --directory "$staging/root" --numeric-owner --owner=0 --group=0 -cf "$staging/layer.tar" .
	pack "localhost/$1:e2e" "$building/$1.tar" "/usr/local/bin/$1" "$staging/layer.tar"
	rm -r "$staging"
}

control_plane=$("$here/build.sh")
ceph=$("$here/ceph.sh")
key=$(keyed "$control_plane $ceph" nodes.sh common.sh kubernetes containerd pause)
dir=$cache/nodes-$key
one_at_a_time nodes
if [ ! -d "$dir" ]; then
	new_directory
	ln -s "$control_plane"/* "$ceph"/* "$building/"
	# kubectl does not look into a directory by a link.
	rm "$building/crds"
	cp -r "$control_plane/crds" "$building/"
	for program in kube-scheduler kubelet kube-proxy; do build_kubernetes "$program"; done
	build_containerd
	build pause pause .
	pack_program pause "$building/pause"
	pack_program cert-manager "$building/cert-manager"
	done_with_directory "$dir"
fi
touch "$dir"
printf '%s\n' "$dir"

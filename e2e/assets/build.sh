#!/usr/bin/env bash
# Prints the directory that holds etcd, kube-apiserver, kube-controller-manager, kubectl and cert-manager's controllers,
# and cert-manager's CRDs in crds/. What is missing is built once from Go modules, into a cache outside the tree.
# With KUBEBUILDER_ASSETS set, Kubernetes' own programs are taken from there, as far as they are there.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
given=${KUBEBUILDER_ASSETS:-}

# Who was told of a directory of ours by the variable has all there is to have.
if [ -n "$given" ] && [ -x "$given/cert-manager" ] && [ -d "$given/crds" ]; then
	printf '%s\n' "$given"
	exit
fi

build_control_plane() {
	local program
	for program in etcd kube-apiserver kube-controller-manager kubectl; do
		if [ -n "$given" ] && [ -x "$given/$program" ]; then
			ln -s "$given/$program" "$building/$program"
		elif [ "$program" = etcd ]; then
			say "building etcd $(version kubernetes go.etcd.io/etcd/server/v3) (a minute, once) ..."
			build kubernetes etcd go.etcd.io/etcd/server/v3
		else
			build_kubernetes "$program"
		fi
	done
}

build_certmanager() {
	local module=github.com/cert-manager/cert-manager
	say "building the controllers of cert-manager $(version certmanager $module) (minutes, once) ..."
	build certmanager cert-manager .
	mkdir "$building/crds"
	cp "$(cd "$here/certmanager" && GOWORK=off go list -m -f '{{.Dir}}' $module)"/deploy/crds/cert-manager.io_*.yaml "$building/crds/"
	chmod -R u+w "$building/crds"
}

key=$(keyed "$given" build.sh common.sh kubernetes certmanager)
dir=$cache/assets-$key
one_at_a_time assets
if [ ! -d "$dir" ]; then
	new_directory
	build_control_plane
	build_certmanager
	done_with_directory "$dir"
fi
touch "$dir"
printf '%s\n' "$dir"

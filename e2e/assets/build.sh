#!/usr/bin/env bash
# Prints the directory that holds etcd, kube-apiserver, kube-controller-manager, kubectl and cert-manager's controllers,
# and cert-manager's CRDs in crds/. What is missing is built once from Go modules, into a cache outside the tree.
# With KUBEBUILDER_ASSETS set, Kubernetes' own programs are taken from there, as far as they are there.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${ROOK_CLUSTERSET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rook-clusterset}
given=${KUBEBUILDER_ASSETS:-}

# Who was told of a directory of ours by the variable has all there is to have.
if [ -n "$given" ] && [ -x "$given/cert-manager" ] && [ -d "$given/crds" ]; then
	printf '%s\n' "$given"
	exit
fi

key=$({
	printf '%s\n' "$given"
	cat "$here"/build.sh "$here"/*/go.mod "$here"/*/go.sum "$here"/*/*.go
} | sha256sum | cut -c1-16)
dir=$cache/assets-$key
mkdir -p "$cache"

say() { printf '%s\n' "$*" >&2; }

# version prints the version of a module that the asset requires.
version() { (cd "$here/$1" && GOWORK=off go list -m -f '{{.Version}}' "$2"); }

# build ASSET PROGRAM PACKAGE [FLAGS FOR THE LINKER]
build() {
	(cd "$here/$1" && CGO_ENABLED=0 GOWORK=off go build -buildvcs=false -trimpath -ldflags "-s -w ${4:-}" -o "$building/$2" "$3")
}

build_kubernetes() {
	local program version flags=() minor name=k8s.io/component-base/version
	version=$(version kubernetes k8s.io/kubernetes)
	minor=${version#v1.}
	flags=(-X "$name.gitVersion=$version" -X "$name.gitMajor=1" -X "$name.gitMinor=${minor%%.*}")
	for program in etcd kube-apiserver kube-controller-manager kubectl; do
		if [ -n "$given" ] && [ -x "$given/$program" ]; then
			ln -s "$given/$program" "$building/$program"
			continue
		fi
		if [ "$program" = etcd ]; then
			say "building etcd $(version kubernetes go.etcd.io/etcd/server/v3) (a minute, once) ..."
			build kubernetes etcd go.etcd.io/etcd/server/v3
		else
			say "building $program $version (minutes, once) ..."
			build kubernetes "$program" "k8s.io/kubernetes/cmd/$program" "${flags[*]}"
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

# One build at a time; what the other built is then found.
exec 9>"$cache/lock"
flock --nonblock 9 || { say "waiting for another build ..." && flock 9; }
if [ ! -d "$dir" ]; then
	building=$(mktemp -d "$cache/building.XXXXXX")
	trap 'rm -rf "$building"' EXIT
	build_kubernetes
	build_certmanager
	mv "$building" "$dir"
	say "built into $dir"
	find "$cache" -maxdepth 1 \( -name 'assets-*' -mtime +30 -o -name 'building.*' -mtime +1 \) -exec rm -rf {} +
fi
# The age by which an old build goes is that of its last use.
touch "$dir"
printf '%s\n' "$dir"

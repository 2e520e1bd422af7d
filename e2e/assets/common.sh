# What the scripts of this directory share: where the cache is, how a directory of it comes to be, how a program is built
# and how an image is packed.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${ROOK_CLUSTERSET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/rook-clusterset}
mkdir -p "$cache"

say() { printf '%s\n' "$*" >&2; }

# keyed TEXT NAME... prints a key of the text and of the named files and directories beside this one.
keyed() {
	{
		printf '%s\n' "$1"
		shift
		(cd "$here" && find "$@" -type f -print0 | sort -z | xargs -0 cat)
	} | sha256sum | cut -c1-16
}

# one_at_a_time NAME waits until no other build of that name is under way; what the other built is then found.
one_at_a_time() {
	exec 9>"$cache/$1.lock"
	flock --nonblock 9 || { say "waiting for another build ..." && flock 9; }
}

# new_directory makes a directory, in $building, to build in; done_with_directory DIR puts it into its place.
new_directory() {
	building=$(mktemp -d "$cache/building.XXXXXX")
	trap 'rm -rf "$building"' EXIT
	chmod 755 "$building"
}

done_with_directory() {
	mv "$building" "$1"
	say "built into $1"
	# The age by which an old build goes is that of its last use.
	find "$cache" -maxdepth 1 \( -name "$(basename "${1%-*}")-*" -mtime +30 -o -name 'building.*' -mtime +1 \) -exec rm -rf {} +
}

# version MODULE-DIRECTORY MODULE prints the version of a module that the asset requires.
version() { (cd "$here/$1" && GOWORK=off go list -m -f '{{.Version}}' "$2"); }

# build MODULE-DIRECTORY PROGRAM PACKAGE [FLAGS FOR THE LINKER] [TAGS]
build() {
	(cd "$here/$1" && CGO_ENABLED=0 GOWORK=off go build -buildvcs=false -trimpath -tags "${5:-}" -ldflags "-s -w ${4:-}" -o "$building/$2" "$3")
}

# build_kubernetes PROGRAM builds a program of Kubernetes that says its version.
build_kubernetes() {
	local version minor name=k8s.io/component-base/version
	version=$(version kubernetes k8s.io/kubernetes)
	minor=${version#v1.}
	say "building $1 $version (minutes, once) ..."
	build kubernetes "$1" "k8s.io/kubernetes/cmd/$1" "-X $name.gitVersion=$version -X $name.gitMajor=1 -X $name.gitMinor=${minor%%.*}"
}

# pack NAME ARCHIVE ENTRYPOINT LAYER packs an uncompressed layer as an image, in the format that `docker save` writes and
# containerd imports.
pack() {
	local name=$1 archive=$2 entrypoint=$3 layer=$4 dir
	dir=$(dirname "$layer")
	printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["%s"],"Env":["PATH=%s"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
		"$(go env GOARCH)" "$entrypoint" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$(sha256sum "$layer" | cut -d ' ' -f 1)" >"$dir/config.json"
	printf '[{"Config":"config.json","RepoTags":["%s"],"Layers":["%s"]}]' "$name" "$(basename "$layer")" >"$dir/manifest.json"
	tar --directory "$dir" --numeric-owner --owner=0 --group=0 -cf "$archive" manifest.json config.json "$(basename "$layer")"
	rm "$dir/config.json" "$dir/manifest.json"
}

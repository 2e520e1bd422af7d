#!/usr/bin/env bash
# Prints the directory that holds Ceph as Debian trixie has it: ceph-root/, for chroot, and ceph.tar, the same as a container
# image. It is made once, with debootstrap, as root. The mirror is the one that the machine's own apt uses.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

suite=trixie
packages=(ceph-mon ceph-osd ceph-mgr ceph-common rbd-mirror iproute2 procps)
image=localhost/ceph:e2e

# mirror prints the mirror of the machine's apt, from the files that name it.
mirror() {
	local files=(/etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources /etc/apt/mirrors/*.list) found
	found=$(cat "${files[@]}" 2>/dev/null | grep -v '^#' | grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
	[ -n "$found" ] || { say "no mirror of Debian is named in ${files[*]}" && return 1; }
	printf '%s\n' "$found"
}

# inside runs a command in the new root.
inside() {
	chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive \
		${http_proxy:+http_proxy="$http_proxy"} ${https_proxy:+https_proxy="$https_proxy"} "$@"
}

make_root() {
	say "installing Ceph of Debian $suite (minutes, once) ..."
	debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" "$(mirror)" >&2
	# A service that a package would start has no place in an image.
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod +x "$root/usr/sbin/policy-rc.d"
	# What is never read is not unpacked: an image is imported into every node anew.
	printf 'path-exclude /usr/share/%s/*\n' doc info locale man lintian >"$root/etc/dpkg/dpkg.cfg.d/small"
	inside apt-get update -q >&2
	inside apt-get install -qy --no-install-recommends "${packages[@]}" >&2
	inside apt-get clean >&2
	rm -rf "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,info,locale,man}/*
	find "$root/var/cache" "$root/var/log" -type f -delete
	rm -f "$root/etc/resolv.conf" "$root/etc/hostname"
}

# common.sh has no part in the key: Ceph is made anew only if what goes into it changes.
key=$(keyed "" ceph.sh)
dir=$cache/ceph-$key
one_at_a_time ceph
if [ ! -d "$dir" ]; then
	[ "$(id -u)" = 0 ] || { say "Ceph's root directory has to be made as root" && exit 1; }
	new_directory
	root=$building/ceph-root
	make_root
	say "packing $(inside dpkg-query -W -f '${Package} ${Version}' ceph-mon) as an image ..."
	tar --directory "$root" --numeric-owner -cf "$building/layer.tar" .
	pack "$image" "$building/ceph.tar" /bin/sh "$building/layer.tar"
	rm "$building/layer.tar"
	done_with_directory "$dir"
fi
touch "$dir"
printf '%s\n' "$dir"

#!/usr/bin/env bash
# Prints a directory that holds prometheus and promtool: that of the PATH, or what Debian's package has, unpacked once into a cache
# outside the tree. Nothing is installed, so that no service is started.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

found=$(command -v promtool || true)
if [ -n "$found" ] && [ -x "$(dirname "$found")/prometheus" ]; then
	dirname "$found"
	exit
fi

dir=$cache/prometheus-$(keyed "" prometheus.sh common.sh)
one_at_a_time prometheus
if [ ! -d "$dir" ]; then
	command -v apt-get >/dev/null || { say "promtool and prometheus are not in the PATH, and there is no apt-get to have them from: install Prometheus"; exit 1; }
	say "fetching Debian's package of Prometheus (once) ..."
	new_directory
	fetch() { (cd "$building" && apt-get download -q prometheus >&2 2>/dev/null); }
	fetch || { apt-get update -q >&2 && fetch; }
	dpkg --extract "$building"/prometheus_*.deb "$building/unpacked"
	mv "$building/unpacked/usr/bin/"{prometheus,promtool} "$building/"
	rm -r "$building/unpacked" "$building"/*.deb
	done_with_directory "$dir"
fi
touch "$dir"
printf '%s\n' "$dir"

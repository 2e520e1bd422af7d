#!/usr/bin/env bash
# Prints the directory that holds helm, of the version whose packages pack our chart. What is missing is built once, into the same cache.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

module=../../.ci/tools/chart
dir=$cache/helm-$(keyed "" helm.sh common.sh $module/go.mod $module/go.sum)
one_at_a_time helm
if [ ! -d "$dir" ]; then
	version=$(version $module helm.sh/helm/v4)
	say "building helm $version (minutes, once) ..."
	new_directory
	build $module helm helm.sh/helm/v4/cmd/helm "-X helm.sh/helm/v4/internal/version.version=$version"
	done_with_directory "$dir"
fi
touch "$dir"
printf '%s\n' "$dir"

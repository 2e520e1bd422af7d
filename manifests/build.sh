#!/usr/bin/env bash
# Prints what stands in install.yaml.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
kubectl=$(../e2e/assets/build.sh)/kubectl
echo "# Built from manifests/base by \`make manifests\`: change that, not this. cert-manager must be installed before."
"$kubectl" kustomize base

#!/usr/bin/env bash
# Installs those Debian packages that a real node needs and that the machine does not have yet: as root, by apt.
set -euo pipefail

packages=(
	runc                       # runs the containers
	containernetworking-plugins # pods' network: bridge, host-local
	iptables conntrack         # kube-proxy's
	iproute2 util-linux mount  # ip, nsenter, losetup
	kmod                       # modprobe
	ethtool socat              # kubelet's
	debootstrap debian-archive-keyring # Ceph's root directory
)

missing=()
for package in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ "${#missing[@]}" -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
	echo "missing, and to be installed by root: ${missing[*]}" >&2
	exit 1
fi
echo "installing ${missing[*]} ..." >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >&2
apt-get install -qy --no-install-recommends "${missing[@]}" >&2

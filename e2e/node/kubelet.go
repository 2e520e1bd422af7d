package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const cgroupRoot = "/sys/fs/cgroup"

const kubeletConfiguration = `
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: false}, x509: {clientCAFile: {{.Dir}}/pki/ca.crt}}
authorization: {mode: AlwaysAllow}
tlsCertFile: {{.Dir}}/pki/kubelet.crt
tlsPrivateKeyFile: {{.Dir}}/pki/kubelet.key
containerRuntimeEndpoint: unix://{{.Dir}}/containerd.sock
podLogsDir: {{.Dir}}/podlogs
volumePluginDir: {{.Dir}}/volumeplugins
# The machine may have no systemd, and cgroups of either version. All containers are below one cgroup, which tells them as
# the node's: without cgroupsPerQOS it would not be used, and theirs be among those of any other containerd.
cgroupDriver: cgroupfs
cgroupRoot: /{{.CGroup}}
cgroupsPerQOS: true
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
makeIPTablesUtilChains: false
# Pods ask the node itself for names, where the test answers.
clusterDNS: ["{{.NodeIP}}"]
clusterDomain: cluster.local
resolvConf: {{.Dir}}/resolv.conf
# The images are there and have to stay; the disk is not ours to watch.
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
localStorageCapacityIsolation: false
volumeStatsAggPeriod: -1s
# Pods come in crowds.
maxPods: 200
kubeAPIQPS: 100
kubeAPIBurst: 200
eventRecordQPS: 0
registryPullQPS: 0
`

func (n *Node) startKubelet() error {
	if err := makeCgroups(n.Name); err != nil {
		return err
	}
	if err := n.write("kubelet.yaml", kubeletConfiguration); err != nil {
		return err
	}
	if err := n.write("resolv.conf", "nameserver {{.NodeIP}}\n"); err != nil {
		return err
	}
	return n.run("kubelet",
		"--config="+n.path("kubelet.yaml"), "--kubeconfig="+n.path("kubelet.kubeconfig"), "--root-dir="+n.path("kubelet"),
		"--hostname-override="+n.Name, "--node-ip="+n.NodeIP.String(),
	)
}

// makeCgroups makes the cgroup that the kubelet is to use, in each hierarchy of version 1 or in the one of version 2.
func makeCgroups(name string) error {
	controllers, err := os.ReadFile(filepath.Join(cgroupRoot, "cgroup.controllers"))
	tops := []string{cgroupRoot}
	if err != nil {
		tops, _ = filepath.Glob(cgroupRoot + "/*")
	}
	for _, controller := range []string{"cpu", "cpuset", "hugetlb", "memory", "pids"} {
		if !slices.Contains(strings.Fields(string(controllers)), controller) {
			continue
		}
		if err := os.WriteFile(filepath.Join(cgroupRoot, "cgroup.subtree_control"), []byte("+"+controller), 0o600); err != nil {
			return fmt.Errorf("have cgroup controller %s: %w", controller, err)
		}
	}
	for _, top := range tops {
		if err := os.Mkdir(filepath.Join(top, cgroupName(name)), 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make the cgroup of the node: %w", err)
		}
	}
	return nil
}

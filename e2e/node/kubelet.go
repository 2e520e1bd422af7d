package node

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
# The machine may have no systemd, and cgroups of either version; nothing beside our own cgroup is touched.
cgroupDriver: cgroupfs
cgroupRoot: /{{.CGroup}}
cgroupsPerQOS: false
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

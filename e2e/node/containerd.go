package node

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"text/template"
)

// containerdConfiguration keeps every file in the directory of the node, so that nothing is left elsewhere.
const containerdConfiguration = `
version = 3
root = "{{.Dir}}/containerd"
state = "{{.Dir}}/run"
imports = []
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri", "io.containerd.image-verifier.v1.bindir"]

[grpc]
  address = "{{.Dir}}/containerd.sock"
[ttrpc]
  address = "{{.Dir}}/containerd.sock.ttrpc"

[plugins."io.containerd.shim.v1.manager"]
  socket_dir = "{{.Dir}}/s"
[plugins."io.containerd.metadata.v1.bolt"]
  no_sync = true
[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "{{.PauseImage}}"
[plugins."io.containerd.cri.v1.runtime"]
  # Without the capability CAP_SYS_RESOURCE, which root may lack in a container or a virtual machine, runc cannot do it.
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["{{.CNIPlugins}}"]
    conf_dir = "{{.Dir}}/cni"
    use_internal_loopback = true
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        Root = "{{.Dir}}/runc"
        SystemdCgroup = false
`

// cniConfiguration is of the pods' network. A pod may be its own peer by a Service: hence hairpinMode.
const cniConfiguration = `
{"cniVersion": "1.0.0", "name": "{{.CNINetwork}}", "plugins": [{
  "type": "bridge", "bridge": "{{.CNIDevice}}", "isGateway": true, "hairpinMode": true, "ipMasq": false,
  "ipam": {"type": "host-local", "dataDir": "{{.Dir}}/addresses", "subnet": "{{.PodCIDR}}", "routes": [{"dst": "0.0.0.0/0"}]}
}]}
`

func (n *Node) startContainerd(ctx context.Context) error {
	if err := n.write("containerd.toml", containerdConfiguration); err != nil {
		return err
	}
	if err := n.write("cni/pods.conflist", cniConfiguration); err != nil {
		return err
	}
	if err := n.run("containerd", "--config="+n.path("containerd.toml"), "--log-level=warn"); err != nil {
		return err
	}
	return n.eventually(ctx, "containerd answers", func(ctx context.Context) error {
		out, err := n.ctr(ctx, "version")
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}

// importImages unpacks as well: the first pod need not wait for it.
func (n *Node) importImages(ctx context.Context) error {
	for _, archive := range append([]string{n.program("pause.tar")}, n.options.Images...) {
		if out, err := n.ctr(ctx, "--namespace=k8s.io", "images", "import", archive); err != nil {
			return fmt.Errorf("import image %s: %w: %s", archive, err, out)
		}
	}
	return nil
}

func (n *Node) ctr(ctx context.Context, args ...string) ([]byte, error) {
	address := "--address=" + n.path("containerd.sock")
	return n.Command(ctx, n.program("ctr"), append([]string{address}, args...)...).CombinedOutput()
}

// write fills in the template and writes it as a file of the node.
func (n *Node) write(name, text string) error {
	parsed, err := template.New(name).Parse(text)
	if err != nil {
		return fmt.Errorf("read the template of %s: %w", name, err)
	}
	var filled bytes.Buffer
	if err := parsed.Execute(&filled, map[string]string{
		"Name": n.Name, "Dir": n.options.Dir, "NodeIP": n.NodeIP.String(), "PodCIDR": podCIDR,
		"PauseImage": PauseImage, "CGroup": cgroupName(n.Name),
		"CNIPlugins": cniPlugins, "CNINetwork": cniNetwork(n.Name), "CNIDevice": cniDevice,
	}); err != nil {
		return fmt.Errorf("fill in the template of %s: %w", name, err)
	}
	path := n.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.WriteFile(path, filled.Bytes(), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}

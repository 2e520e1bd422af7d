package rookstandin

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// flatEndpoints formats the key data of the ConfigMap. The order is random, as Rook's is.
func flatEndpoints(mons map[string]monInfo) string {
	entries := make([]string, 0, len(mons))
	for id, mon := range mons {
		entries = append(entries, id+"="+mon.endpoint.String())
	}
	return strings.Join(entries, ",")
}

// monHost formats mon_host and mon_initial_members; a mon that is marked out of quorum is left out.
func monHost(mons map[string]monInfo) (hosts, members string) {
	var hostList, memberList []string
	for _, id := range slices.Sorted(maps.Keys(mons)) {
		if mons[id].outOfQuorum {
			continue
		}
		hostList = append(hostList, monHostEntry(mons[id].endpoint))
		memberList = append(memberList, id)
	}
	return strings.Join(hostList, ","), strings.Join(memberList, ",")
}

// parseMonHost is the inverse of monHost as a daemon reads it: the addresses alone.
func parseMonHost(text string) []netip.Addr {
	var all []netip.Addr
	for part := range strings.SplitSeq(strings.ReplaceAll(text, "[v", ",v"), ",") {
		part = strings.TrimSpace(part)
		_, endpoint, ok := strings.Cut(part, ":")
		if !ok {
			continue
		}
		if strings.Count(endpoint, "]") > strings.Count(endpoint, "[") {
			endpoint = strings.TrimSuffix(endpoint, "]")
		}
		if parsed, err := netip.ParseAddrPort(endpoint); err == nil && !slices.Contains(all, parsed.Addr()) {
			all = append(all, parsed.Addr())
		}
	}
	return all
}

// csiEntry is one cluster in the JSON of the CSI drivers.
type csiEntry struct {
	ClusterID    string          `json:"clusterID"`
	Monitors     []string        `json:"monitors"`
	CephFS       csiCephFS       `json:"cephFS"`
	RBD          csiRBD          `json:"rbd"`
	NFS          csiNFS          `json:"nfs"`
	ReadAffinity csiReadAffinity `json:"readAffinity"`
	Namespace    string          `json:"namespace"`
}

type csiCephFS struct {
	NetNamespaceFilePath string `json:"netNamespaceFilePath"`
	SubvolumeGroup       string `json:"subvolumeGroup"`
	KernelMountOptions   string `json:"kernelMountOptions"`
	FuseMountOptions     string `json:"fuseMountOptions"`
}

type csiRBD struct {
	NetNamespaceFilePath string `json:"netNamespaceFilePath"`
	RadosNamespace       string `json:"radosNamespace"`
}

type csiNFS struct {
	NetNamespaceFilePath string `json:"netNamespaceFilePath"`
}

type csiReadAffinity struct {
	Enabled             bool     `json:"enabled"`
	CrushLocationLabels []string `json:"crushLocationLabels"`
}

// csiMonitors returns the endpoints for the CSI drivers; they dial port 3300 where msgr2 is required.
func csiMonitors(mons map[string]monInfo, requireMsgr2 bool) []string {
	all := make([]string, 0, len(mons))
	for _, mon := range mons {
		endpoint := mon.endpoint
		if requireMsgr2 && endpoint.Port() == msgr1Port {
			endpoint = netip.AddrPortFrom(endpoint.Addr(), msgr2Port)
		}
		all = append(all, endpoint.String())
	}
	return all
}

// csiClusterConfig formats csi-cluster-config-json of the mon endpoints ConfigMap.
func csiClusterConfig(namespace string, mons map[string]monInfo) (string, error) {
	text, err := json.Marshal([]csiEntry{{ClusterID: namespace, Monitors: csiMonitors(mons, false)}})
	return string(text), err
}

// updateCSIConfig puts the monitors of one cluster into the JSON that serves all clusters.
func updateCSIConfig(current, namespace string, monitors []string) (string, error) {
	var entries []csiEntry
	if current != "" {
		if err := json.Unmarshal([]byte(current), &entries); err != nil {
			return "", fmt.Errorf("read the CSI configuration: %w", err)
		}
	}
	i := slices.IndexFunc(entries, func(e csiEntry) bool { return e.ClusterID == namespace })
	if i < 0 {
		entries = append(entries, csiEntry{ClusterID: namespace, Namespace: namespace})
		i = len(entries) - 1
	}
	entries[i].Monitors = monitors
	text, err := json.Marshal(entries)
	return string(text), err
}

package shapes

import (
	"cmp"
	"encoding/json"
	"fmt"
	"path"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Release is a release of Rook 1.
type Release struct {
	Minor int
	Patch int
}

// String returns the release as Rook's label rook-version has it.
func (r Release) String() string { return fmt.Sprintf("v1.%d.%d", r.Minor, r.Patch) }

// AtLeast says whether the release is that one or a later one.
func (r Release) AtLeast(minor, patch int) bool {
	return r.Minor > minor || r.Minor == minor && r.Patch >= patch
}

// Operator is what an operator of Rook is of itself.
type Operator struct {
	Release Release
	// CephVersion is the version that the operator finds in the image, as the label ceph-version has it: 20.2.4-0.
	CephVersion       string
	OperatorNamespace string
}

// Cluster is a CephCluster as one operator reads it.
type Cluster struct {
	Operator
	Namespace, Name, UID string
	Generation           int64
	Spec                 Spec

	// key stands for all of it.
	key string
}

// Spec is what the operator reads of the spec of a CephCluster, under the names that it has there.
type Spec struct {
	CephVersion     struct{ Image string }
	DataDirHostPath string
	Mon             struct{ Count int }
	Network         struct {
		Provider            string
		IPFamily            string `json:"ipFamily"`
		DualStack           bool
		MultiClusterService struct {
			Enabled   bool
			ClusterID string `json:"clusterID"`
		}
		Connections *struct {
			RequireMsgr2 bool
		}
	}
	LogCollector struct{ Enabled bool }
	HealthCheck  struct {
		DaemonHealth struct {
			Mon struct {
				Timeout string
			}
		}
		StartupProbe, LivenessProbe map[string]struct{ Disabled bool }
	}
	Annotations struct {
		OSD map[string]string `json:"osd"`
	}
}

// HostNetwork says whether the daemons are on the host network.
func (s *Spec) HostNetwork() bool { return s.Network.Provider == "host" }

// Native says whether Rook's own multi-cluster mode is on.
func (s *Spec) Native() bool { return s.Network.MultiClusterService.Enabled }

// RequireMsgr2 says whether mons and OSDs serve msgr2 alone.
func (s *Spec) RequireMsgr2() bool {
	return s.Network.Connections != nil && s.Network.Connections.RequireMsgr2
}

// Read reads the CephCluster.
func Read(o Operator, u *unstructured.Unstructured) (*Cluster, error) {
	var read struct{ Spec Spec }
	if err := json.Unmarshal(must(u.MarshalJSON()), &read); err != nil {
		return nil, fmt.Errorf("read CephCluster %s: %w", u.GetName(), err)
	}
	c := &Cluster{
		Operator: o, Namespace: u.GetNamespace(), Name: u.GetName(), UID: string(u.GetUID()), Generation: u.GetGeneration(), Spec: read.Spec,
	}
	c.Spec.CephVersion.Image = cmp.Or(c.Spec.CephVersion.Image, "quay.io/ceph/ceph:v20.2.4")
	c.Spec.DataDirHostPath = path.Clean(cmp.Or(c.Spec.DataDirHostPath, "/var/lib/rook"))
	c.key = string(must(json.Marshal(c)))
	return c, nil
}

package realceph

import (
	"context"
	"strconv"
)

// MonDump returns the public addresses of each mon of the monmap.
func MonDump(ctx context.Context, c Client) (map[string]Addresses, error) {
	var read struct {
		Mons []monJSON `json:"mons"`
	}
	if err := runJSON(ctx, c, &read, "ceph", "mon", "dump"); err != nil {
		return nil, err
	}
	mons := map[string]Addresses{}
	for _, mon := range read.Mons {
		mons[mon.Name] = mon.Public.addresses()
	}
	return mons, nil
}

// OSD is what the osdmap says of an OSD.
type OSD struct {
	Up, In bool
	// Public is what clients dial, Cluster what other OSDs dial; the heartbeats have addresses of their own.
	Public, Cluster, HeartbeatFront, HeartbeatBack Addresses
}

// OSDDump returns each OSD of the osdmap by its ID.
func OSDDump(ctx context.Context, c Client) (map[string]OSD, error) {
	var read struct {
		OSDs []struct {
			ID             int     `json:"osd"`
			Up             int     `json:"up"`
			In             int     `json:"in"`
			Public         addrvec `json:"public_addrs"`
			Cluster        addrvec `json:"cluster_addrs"`
			HeartbeatFront addrvec `json:"heartbeat_front_addrs"`
			HeartbeatBack  addrvec `json:"heartbeat_back_addrs"`
		} `json:"osds"`
	}
	if err := runJSON(ctx, c, &read, "ceph", "osd", "dump"); err != nil {
		return nil, err
	}
	osds := map[string]OSD{}
	for _, osd := range read.OSDs {
		osds[strconv.Itoa(osd.ID)] = OSD{
			Up: osd.Up == 1, In: osd.In == 1,
			Public: osd.Public.addresses(), Cluster: osd.Cluster.addresses(),
			HeartbeatFront: osd.HeartbeatFront.addresses(), HeartbeatBack: osd.HeartbeatBack.addresses(),
		}
	}
	return osds, nil
}

// Status is what ceph status says.
type Status struct {
	// Quorum holds the names of the mons in quorum.
	Quorum         []string
	OSDsUp, OSDsIn int
}

// GetStatus returns the status of the cluster.
func GetStatus(ctx context.Context, c Client) (Status, error) {
	var read struct {
		Quorum []string `json:"quorum_names"`
		OSDMap struct {
			Up int `json:"num_up_osds"`
			In int `json:"num_in_osds"`
		} `json:"osdmap"`
	}
	if err := runJSON(ctx, c, &read, "ceph", "status"); err != nil {
		return Status{}, err
	}
	return Status{Quorum: read.Quorum, OSDsUp: read.OSDMap.Up, OSDsIn: read.OSDMap.In}, nil
}

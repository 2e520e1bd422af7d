package realceph

import (
	"context"
	"strconv"
)

// MonDump returns the public addresses of each mon of the monmap.
func MonDump(ctx context.Context, c Client) (map[string]Addresses, error) {
	var read Monmap
	if err := runJSON(ctx, c, &read, "ceph", "mon", "dump"); err != nil {
		return nil, err
	}
	mons := map[string]Addresses{}
	for _, mon := range read.Mons {
		mons[mon.Name] = mon.Public
	}
	return mons, nil
}

// OSD is what the osdmap says of an OSD.
type OSD struct {
	ID int `json:"osd"`
	// Up is 1 for one that is.
	Up int `json:"up"`
	// Public is what clients dial, Cluster what other OSDs dial; the heartbeats have addresses of their own.
	Public         Addresses `json:"public_addrs"`
	Cluster        Addresses `json:"cluster_addrs"`
	HeartbeatFront Addresses `json:"heartbeat_front_addrs"`
	HeartbeatBack  Addresses `json:"heartbeat_back_addrs"`
}

// OSDDump returns each OSD of the osdmap by its ID.
func OSDDump(ctx context.Context, c Client) (map[string]OSD, error) {
	var read struct {
		OSDs []OSD `json:"osds"`
	}
	if err := runJSON(ctx, c, &read, "ceph", "osd", "dump"); err != nil {
		return nil, err
	}
	osds := map[string]OSD{}
	for _, osd := range read.OSDs {
		osds[strconv.Itoa(osd.ID)] = osd
	}
	return osds, nil
}

// Status is what ceph status says.
type Status struct {
	// Quorum holds the names of the mons in quorum.
	Quorum []string `json:"quorum_names"`
	OSDs   struct {
		Up int `json:"num_up_osds"`
		In int `json:"num_in_osds"`
	} `json:"osdmap"`
}

// GetStatus returns the status of the cluster.
func GetStatus(ctx context.Context, c Client) (Status, error) {
	var read Status
	err := runJSON(ctx, c, &read, "ceph", "status")
	return read, err
}

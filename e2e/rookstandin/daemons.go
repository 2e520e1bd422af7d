package rookstandin

import (
	"cmp"
	"net/netip"
	"strings"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/rook-clusterset/rook-clusterset/e2e/rookstandin/shapes"
)

// mon is a mon as the operator is about to write it.
type mon struct {
	id string
	// endpoint has the port alone as long as there is no address.
	endpoint netip.AddrPort
}

// deployment makes one of the shape, bare for a model.
func (o *Operator) deployment(shape string, v shapes.Values) *appsv1.Deployment {
	if o.alone {
		return shapes.MakeBare(o.cluster, shape, v)
	}
	return shapes.Make[appsv1.Deployment](o.cluster, shape, v)
}

func (o *Operator) monValues(m mon) shapes.Values {
	v := shapes.Values{"type": "mon", "id": m.id, "fsid": o.fsid, "port": int(m.endpoint.Port()), "publicIP": ""}
	if m.endpoint.Addr().IsValid() {
		v["publicIP"] = m.endpoint.Addr().String()
	}
	return v
}

// monDeployment returns the Deployment of a mon. Rook notes what it applies before it adds storage and node.
func (o *Operator) monDeployment(m mon) *appsv1.Deployment {
	v := o.monValues(m)
	noted := o.deployment("mon", v)
	shapes.SetLastApplied(noted)
	v["placed"] = true
	if node, ok := o.memory.mapping[m.id]; ok && node != nil {
		v["node"] = node.Hostname
	}
	d := o.deployment("mon", v)
	d.Annotations = noted.Annotations
	return d
}

// canaryDeployment returns the Deployment that finds a node for a mon by being scheduled in its stead.
func (o *Operator) canaryDeployment(m mon) *appsv1.Deployment {
	v := o.monValues(mon{id: m.id, endpoint: netip.AddrPortFrom(netip.Addr{}, m.endpoint.Port())})
	v["canary"], v["placed"] = true, true
	return o.deployment("mon", v)
}

// Shape is how an OSD is backed; the shape of its Deployment follows from it.
type Shape string

// Shapes of an OSD.
const (
	// OnNode is an OSD on a device of a node.
	OnNode Shape = ""
	// OnFile is an OSD on a file of a node. Rook has none: it is for real OSDs on a machine without spare devices, and
	// like OnNode but for how its data comes to be.
	OnFile Shape = "file"
)

// OSD is one OSD that the prepare job reports.
type OSD struct {
	ID    string
	Shape Shape
	// Lost makes a prepare job name the OSD once, and Rook write no Deployment of it: so it is where the operator ends
	// between the two, and the device is gone when it is back.
	Lost bool
	// node is the name of the one that it is on.
	node string
}

// uuid returns the UUID that the prepare job gave the OSD.
func (osd OSD) uuid() string {
	return "00000000-0000-4000-8000-" + strings.Repeat("0", 12-len(osd.ID)) + osd.ID
}

func (o *Operator) osdValues(osd OSD) shapes.Values {
	return shapes.Values{
		"type": "osd", "id": osd.ID, "fsid": o.fsid, "uuid": osd.uuid(), "node": osd.node, "backing": cmp.Or(string(osd.Shape), "device"),
	}
}

package probe

import "fmt"

// Entity is a kind of daemon, by the numbers CEPH_ENTITY_TYPE_* of src/include/msgr.h. 0 is unknown.
type Entity uint8

// The kinds of daemons that can answer.
const (
	EntityMon    Entity = 0x01
	EntityMDS    Entity = 0x02
	EntityOSD    Entity = 0x04
	EntityClient Entity = 0x08
	EntityMgr    Entity = 0x10
)

// String returns how Ceph calls the kind.
func (e Entity) String() string {
	switch e {
	case 0:
		return "unknown"
	case EntityMon:
		return "mon"
	case EntityMDS:
		return "mds"
	case EntityOSD:
		return "osd"
	case EntityClient:
		return "client"
	case EntityMgr:
		return "mgr"
	default:
		return fmt.Sprintf("entity type %d", uint8(e))
	}
}

// MarshalText writes the kind by its name.
func (e Entity) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads what MarshalText writes. A kind that is not known stays unknown.
func (e *Entity) UnmarshalText(text []byte) error {
	*e = 0
	for _, known := range []Entity{EntityMon, EntityMDS, EntityOSD, EntityClient, EntityMgr} {
		if known.String() == string(text) {
			*e = known
		}
	}
	return nil
}

package migration

import (
	"context"
	"io"
	"net"
	"net/netip"
	"time"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

// The ports at which a mon and an OSD speak the second version of Ceph's protocol.
const (
	monPort = 3300
	osdPort = 6800
)

const (
	dialTimeout = time.Second
	// probedOthers bounds how many others are asked whether a global IP can be dialled from here at all.
	probedOthers = 3
	// banner is what each side of a connection begins with, in both versions of the protocol.
	banner = "ceph"
)

// prober dials daemons at their global IPs.
type prober struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// ask says whether a daemon answers at its global IP. That it does not says something only where another one does.
func (p prober) ask(ctx context.Context, f Facts, daemon rook.Daemon) Probe {
	asked := 0
	for _, d := range f.Daemons {
		if d.Daemon == daemon && p.answers(ctx, d) {
			return Answered
		}
	}
	for _, d := range f.Daemons {
		if d.Daemon == daemon || !d.Rollout.Available || d.Address != d.Export.GlobalIP {
			continue
		}
		if asked++; asked > probedOthers {
			break
		}
		if p.answers(ctx, d) {
			return Unanswered
		}
	}
	return NotTold
}

func (p prober) answers(ctx context.Context, d rook.DaemonFacts) bool {
	port := uint16(osdPort)
	if d.Daemon.Type == rook.Mon {
		port = monPort
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	connection, err := p.dial(ctx, "tcp", netip.AddrPortFrom(d.Export.GlobalIP, port).String())
	if err != nil {
		return false
	}
	defer func() { _ = connection.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = connection.SetDeadline(deadline)
	}
	read := make([]byte, len(banner))
	_, err = io.ReadFull(connection, read)
	return err == nil && string(read) == banner
}

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// terminalOf is what a terminal shows of what is written to it.
type terminalOf struct {
	rows   []string
	at     int
	column string
}

var escape = regexp.MustCompile(`^\x1b\[\??(\d*)([a-zA-Z])`)

func (e *terminalOf) Write(p []byte) (int, error) {
	for text := string(p); text != ""; {
		if match := escape.FindStringSubmatch(text); match != nil {
			switch match[2] {
			case "A":
				up, err := strconv.Atoi(match[1])
				if err != nil {
					return 0, err
				}
				e.at -= up
			case "K":
				e.set("")
			case "J":
				e.rows = e.rows[:e.at]
			case "l", "h", "m":
			default:
				return 0, fmt.Errorf("the terminal does not know %q", match[0])
			}
			text = text[len(match[0]):]
			continue
		}
		switch text[0] {
		case '\r':
			e.column = ""
		case '\n':
			e.at, e.column = e.at+1, ""
		default:
			e.column += text[:1]
			e.set(e.column)
		}
		text = text[1:]
	}
	return len(p), nil
}

func (e *terminalOf) set(line string) {
	for len(e.rows) <= e.at {
		e.rows = append(e.rows, "")
	}
	e.rows[e.at] = line
}

func formOf(daemons ...rook.DaemonFacts) statusForm {
	var rows []daemonStatus
	for _, d := range daemons {
		rows = append(rows, statusRow(d))
	}
	return newStatusForm(lookedAt, rows, nil)
}

func TestAScreenShowsTheLastLookAndWritesOnlyWhatChanged(t *testing.T) {
	var emulated terminalOf
	var written bytes.Buffer
	s := &screen{out: &written, height: func() int { return 40 }}
	show := func(f statusForm) string {
		written.Reset()
		s.show(f)
		bytesWritten := written.String()
		_, err := emulated.Write(written.Bytes())
		require.NoError(t, err)
		require.Equal(t, s.drawn, emulated.rows)
		return bytesWritten
	}
	waiting := formOf(daemonIn(reason.OK, "a"), daemonIn(reason.AddressUnknown, "b"))
	show(waiting)
	require.Contains(t, strings.Join(emulated.rows, "\n"), "address_unknown")

	again := show(waiting)
	require.NotContains(t, again, "rook-ceph", "nothing has changed")

	born := show(formOf(daemonIn(reason.OK, "a"), daemonIn(reason.OK, "b")))
	require.NotContains(t, strings.Join(emulated.rows, "\n"), "address_unknown")
	require.NotContains(t, born, "NAMESPACE", "the heads stand there already")
	require.Contains(t, born, "2 daemons: 2 ok")

	s.fail(errors.New("connection refused"))
	require.Contains(t, s.drawn[len(s.drawn)-1], "could not look: connection refused")
	require.Contains(t, strings.Join(s.drawn, "\n"), "2 daemons: 2 ok", "what was seen last stays")
}

func TestAScreenNeverScrollsWhatItHasToReachAgain(t *testing.T) {
	var daemons []rook.DaemonFacts
	for i := range 50 {
		d := daemonIn(reason.OK, "a")
		d.Daemon.Type, d.Daemon.ID = rook.OSD, strconv.Itoa(i)
		daemons = append(daemons, d)
	}
	s := &screen{out: &bytes.Buffer{}, height: func() int { return 10 }}
	s.show(formOf(daemons...))
	require.Len(t, s.drawn, 9)
	require.Equal(t, "... and 45 lines more", s.drawn[8])
}

func TestWithoutATerminalEachChangeIsALine(t *testing.T) {
	var out bytes.Buffer
	j := &journal{out: &out}
	j.show(formOf(daemonIn(reason.OK, "a"), daemonIn(reason.AddressUnknown, "b")))
	require.Contains(t, out.String(), "2 daemons: 1 ok, 1 address_unknown\n")

	out.Reset()
	older := formOf(daemonIn(reason.OK, "a"), daemonIn(reason.AddressUnknown, "b"))
	older.Time.Time = older.Time.Add(time.Hour)
	j.show(older)
	require.Empty(t, out.String(), "an age is no change")

	moved := daemonIn(reason.OK, "b")
	moved.Export.GlobalIP = netip.MustParseAddr("242.0.0.11")
	moved.Address, moved.Listed = moved.Export.GlobalIP, moved.Export.GlobalIP
	left := formOf(moved)
	left.Problems = []string{"the webhook is gone"}
	j.show(left)
	require.Equal(t, "2026-03-01T12:00:00Z rook-ceph/rook-ceph-mon-b is ok with 242.0.0.11\n"+
		"2026-03-01T12:00:00Z rook-ceph/rook-ceph-mon-a is gone\n"+
		"2026-03-01T12:00:00Z the webhook is gone\n"+
		"2026-03-01T12:00:00Z 1 daemon: 1 ok\n", out.String())

	out.Reset()
	j.fail(errors.New("connection\nrefused"))
	j.fail(errors.New("connection\nrefused"))
	require.Equal(t, "could not look: connection refused\n", out.String())
	j.show(formOf(moved))
	require.Contains(t, out.String(), "no longer: the webhook is gone")
}

// counting ends the watch after some looks.
type counting struct {
	looks, fails int
	until        int
	end          context.CancelFunc
}

func (c *counting) show(statusForm) { c.looks++; c.count() }
func (c *counting) fail(error)      { c.fails++; c.count() }
func (c *counting) count() {
	if c.looks+c.fails == c.until {
		c.end()
	}
}

func TestAWatchGoesOnAfterALookThatFailedAndEndsWithTheVerdictOfTheLast(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	s := &counting{until: 3, end: end}
	looks := 0
	err := watchStatus(ctx, time.Millisecond, func(context.Context) (statusForm, error) {
		looks++
		if looks == 2 {
			return statusForm{}, errors.New("connection refused")
		}
		return formOf(daemonIn(reason.OK, "a")), nil
	}, s)
	require.NoError(t, err)
	require.Equal(t, 2, s.looks)
	require.Equal(t, 1, s.fails)

	ctx, end = context.WithCancel(t.Context())
	err = watchStatus(ctx, time.Millisecond, func(context.Context) (statusForm, error) {
		return formOf(daemonIn(reason.AddressUnknown, "a")), nil
	}, &counting{until: 1, end: end})
	require.EqualError(t, err, "1 of 1 daemons are not at their global IPs")
}

func TestAWatchIsForPeople(t *testing.T) {
	_, _, err := command(t, "", "status", "--watch", "-o", "json")
	require.EqualError(t, err, "--watch is for people: give --output table or wide with it, not json")
	_, _, err = command(t, "", "status", "-o", "xml")
	require.EqualError(t, err, `--output is "xml": give table, wide, json or yaml`)
}

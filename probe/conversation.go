package probe

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// largeFrame is the padding, in bytes, of a frame that goes over no path in one packet, be it of jumbo frames.
const largeFrame = 16 << 10

// Outcome is how a conversation with a daemon ended.
type Outcome int

// The ends of a conversation.
const (
	// Answered is the only good one: all that was asked was answered, but perhaps for the large frame.
	Answered Outcome = iota
	// NoRoute means that the network told that the address cannot be reached.
	NoRoute
	// Refused means that nobody listens, and the host or the network said so.
	Refused
	// Swallowed means that no answer at all came to the attempt to connect.
	Swallowed
	// Silent means that a connection came about and the other end said nothing, or nothing more.
	Silent
	// HungUp means that the other end closed the connection before it had said all.
	HungUp
	// NotCeph means that the other end said something that Ceph does not.
	NotCeph
	// Failed means that it could not be told.
	Failed
)

// Heard are the facts of one conversation.
type Heard struct {
	// Endpoint is what was dialled.
	Endpoint netip.AddrPort
	Outcome  Outcome
	// Problem is what the end of the conversation was, in words.
	Problem string
	// Protocol is v1 or v2, or nothing.
	Protocol string
	// Entity is told by msgr v2 alone.
	Entity Entity
	// Advertised is told by msgr v1 alone.
	Advertised netip.AddrPort
	// Seen is from where the daemon sees us come.
	Seen netip.AddrPort
	// LargeLost says that small frames are answered and a large one is not. It can be true of msgr v2 alone.
	LargeLost bool
}

// Converse dials a daemon and speaks with it until it would want a key. No step takes longer than the timeout.
func Converse(ctx context.Context, endpoint netip.AddrPort, timeout time.Duration) Heard {
	heard := Heard{Endpoint: endpoint}
	dialer := net.Dialer{Timeout: timeout}
	conn, err := dialer.DialContext(ctx, "tcp", endpoint.String())
	if err != nil {
		return heard.ended(ofDial(ctx, err), err)
	}
	defer func() { _ = conn.Close() }()
	// A caller that has no more time ends the step that is under way.
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	line := line{conn: conn, timeout: timeout}
	first, err := line.firstWords()
	if err != nil {
		return heard.ended(ofSpeech(ctx, err), err)
	}
	switch {
	case string(first) == bannerV2:
		err = line.speakV2(&heard)
	case bytes.HasPrefix([]byte(bannerV1), first):
		err = line.hearV1(&heard, first)
	default:
		err = fmt.Errorf("%w: it says %q", errNotCeph, first)
	}
	if err != nil {
		return heard.ended(ofSpeech(ctx, err), err)
	}
	return heard
}

func (h Heard) ended(outcome Outcome, err error) Heard {
	h.Outcome, h.Problem = outcome, err.Error()
	return h
}

// errNotCeph is the reason of errors about what was said, and not about how it came.
var errNotCeph = errors.New("this is not Ceph")

// ofDial tells how an attempt to connect ended.
func ofDial(ctx context.Context, err error) Outcome {
	var timeout net.Error
	switch {
	case ctx.Err() != nil:
		return Failed
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return NoRoute
	case errors.As(err, &timeout) && timeout.Timeout():
		return Swallowed
	default:
		return Failed
	}
}

// ofSpeech tells how a conversation ended once there was a connection.
func ofSpeech(ctx context.Context, err error) Outcome {
	switch {
	case ctx.Err() != nil:
		return Failed
	case errors.Is(err, errNotCeph):
		return NotCeph
	case errors.Is(err, os.ErrDeadlineExceeded):
		return Silent
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return HungUp
	default:
		return Failed
	}
}

// line is a connection, each step on which has its time.
type line struct {
	conn    net.Conn
	timeout time.Duration
}

func (l line) read(b []byte) (int, error) {
	if err := l.conn.SetReadDeadline(time.Now().Add(l.timeout)); err != nil {
		return 0, err
	}
	return io.ReadFull(l.conn, b)
}

func (l line) write(b []byte) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return err
	}
	_, err := l.conn.Write(b)
	return err
}

// firstWords returns as many bytes as tell the two protocols apart. Ceph speaks first. Who does not is spoken to, for
// there are servers that wait for that, and say then what they are.
func (l line) firstWords() ([]byte, error) {
	first := make([]byte, len(bannerV2))
	half := line{conn: l.conn, timeout: l.timeout / 2}
	n, err := half.read(first)
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) {
		if err := l.write(banner(Features{Supported: revision1, Required: revision1})); err != nil {
			return nil, fmt.Errorf("speak to who says nothing: %w", err)
		}
		n, err = half.read(first)
	}
	if n > 0 && err != nil {
		return nil, fmt.Errorf("%w: it says %q and no more", errNotCeph, first[:n])
	}
	if err != nil {
		return nil, fmt.Errorf("wait for the first words of Ceph: %w", err)
	}
	return first, nil
}

func (l line) hearV1(heard *Heard, first []byte) error {
	heard.Protocol = "v1"
	all := make([]byte, greetingSize)
	copy(all, first)
	if _, err := l.read(all[len(first):]); err != nil {
		return fmt.Errorf("hear the rest of the banner of msgr v1: %w", err)
	}
	greeting, err := DecodeGreeting(all)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotCeph, err)
	}
	heard.Advertised, heard.Seen = greeting.Advertised, greeting.Seen
	return nil
}

// speakV2 exchanges banners and HELLOs, and has two AUTH_REQUESTs refused: a small one and a large one.
func (l line) speakV2(heard *Heard) error {
	heard.Protocol = "v2"
	if err := l.hearFeatures(); err != nil {
		return err
	}
	ours := banner(Features{Supported: revision1, Required: revision1})
	if err := l.write(appendHello(ours, Hello{Entity: EntityClient, Seen: heard.Endpoint})); err != nil {
		return fmt.Errorf("say HELLO: %w", err)
	}
	payload, err := l.hearFrame(TagHello)
	if err != nil {
		return fmt.Errorf("hear HELLO: %w", err)
	}
	hello, err := DecodeHello(payload)
	if err != nil {
		return fmt.Errorf("%w: %w", errNotCeph, err)
	}
	heard.Entity, heard.Seen = hello.Entity, hello.Seen
	if err := l.haveRefused(0); err != nil {
		return fmt.Errorf("send a small frame: %w", err)
	}
	err = l.haveRefused(largeFrame)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		heard.LargeLost = true
		return nil
	}
	if err != nil {
		return fmt.Errorf("send a frame of %d bytes: %w", largeFrame, err)
	}
	return nil
}

func (l line) hearFeatures() error {
	length := make([]byte, 2)
	if _, err := l.read(length); err != nil {
		return fmt.Errorf("hear the banner of msgr v2: %w", err)
	}
	features := make([]byte, binary.LittleEndian.Uint16(length))
	if _, err := l.read(features); err != nil {
		return fmt.Errorf("hear the banner of msgr v2: %w", err)
	}
	if _, err := DecodeFeatures(features); err != nil {
		return fmt.Errorf("%w that can be probed: %w", errNotCeph, err)
	}
	return nil
}

// haveRefused sends an AUTH_REQUEST with so many bytes of padding and waits for the answer.
func (l line) haveRefused(padding int) error {
	if err := l.write(appendAuthRequest(nil, padding)); err != nil {
		return err
	}
	_, err := l.hearFrame(TagAuthBadMethod)
	return err
}

func (l line) hearFrame(tag Tag) ([]byte, error) {
	head := make([]byte, preambleSize)
	if _, err := l.read(head); err != nil {
		return nil, err
	}
	preamble, err := DecodePreamble(head)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotCeph, err)
	}
	if preamble.Tag != tag {
		return nil, fmt.Errorf("%w as it is known here: it sends tag %d where %d is due", errNotCeph, preamble.Tag, tag)
	}
	body := make([]byte, preamble.Length+crcSize)
	if _, err := l.read(body); err != nil {
		return nil, err
	}
	payload, err := DecodePayload(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotCeph, err)
	}
	return payload, nil
}

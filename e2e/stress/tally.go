package main

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// tally is what became of the calls that were sent while something was wrong.
type tally struct {
	mu sync.Mutex
	// sent counts the writes of OSDs; each asks for admission once, and one that made a new OSD once more when Kubernetes notes
	// its revision.
	sent int
	// failed are those that admission failed or refused, unserved those that the API server itself did not serve.
	failed, unserved int
	// births are the writes of new OSDs among those that were sent, waited those of them that were refused until their
	// address is known, or the API server says again whether it still is theirs.
	births, waited int
	wrong          int
	// connections are those that were made beside the writes.
	connections int
	slowest     time.Duration
	// first are the first words of what went wrong, for who reads the table.
	first string
}

// add notes a write that was answered after the time.
func (t *tally) add(birth bool, took time.Duration, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sent++
	if birth {
		t.births++
	}
	if err == nil {
		t.slowest = max(t.slowest, took)
		return
	}
	switch {
	case !ofAdmission(err):
		t.unserved++
		return
	case birth && asksForPatience(err):
		t.waited++
		return
	}
	t.failed++
	t.note(err.Error())
}

// stored notes which address the API server has stored.
func (t *tally) stored(name, has string, given netip.Addr, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !known || has != given.String() {
		t.wrong++
		t.note(fmt.Sprintf("%s was stored with %q, its Service was given %s", name, has, given))
	}
}

func (t *tally) note(words string) {
	if t.first == "" {
		t.first = words
	}
}

// asksForPatience tells the refusal of a birth whose address is not known yet from one for a fault of ours.
func asksForPatience(err error) bool {
	again := apierrors.IsServiceUnavailable(err) || strings.Contains(err.Error(), "Rook will retry")
	return again && !strings.Contains(err.Error(), "met a fault")
}

// unknownService is what an API server says that has started a moment ago, and asks nobody: it has not read its Services yet.
const unknownService = `service "rook-clusterset-webhook" not found`

// ofAdmission tells a call that admission failed from one that the API server did not come to.
func ofAdmission(err error) bool {
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok {
		return false
	}
	message := status.ErrStatus.Message
	if strings.Contains(message, unknownService) {
		return false
	}
	return strings.Contains(message, "failed calling webhook") || strings.Contains(message, "admission webhook")
}

// dialled notes a new connection to a replica; one that fails is a call that would have failed.
func (t *tally) dialled(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.connections++
	if err != nil {
		t.failed++
		t.note(err.Error())
	}
}

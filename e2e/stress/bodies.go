package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rook-clusterset/rook-clusterset/e2e/measure"
)

// answers counts how requests ended.
type answers struct {
	mu    sync.Mutex
	count map[string]int
}

func (a *answers) add(how string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count[how]++
}

func (a *answers) String() string {
	var all []string
	for _, how := range slices.Sorted(maps.Keys(a.count)) {
		all = append(all, fmt.Sprintf("%s: %d", how, a.count[how]))
	}
	return strings.Join(all, ", ")
}

// postAtOnce sends as many reviews of the size to each replica.
func postAtOnce(count, size int) func(context.Context, *room) (string, error) {
	return func(ctx context.Context, r *room) (string, error) {
		return postEach(ctx, r, count, "application/json", review(size))
	}
}

// review is an AdmissionReview of an OSD whose args make it as large.
func review(size int) []byte {
	const front = `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"u","operation":"CREATE","namespace":"rook-stress",` +
		`"name":"rook-ceph-osd-7","kind":{"group":"apps","version":"v1","kind":"Deployment"},"object":{"kind":"Deployment","apiVersion":"apps/v1",` +
		`"metadata":{"name":"rook-ceph-osd-7","namespace":"rook-stress","labels":{"app":"rook-ceph-osd","ceph-osd-id":"7"}},` +
		`"spec":{"template":{"spec":{"containers":[{"name":"osd","args":["`
	const back = `"]}]}}}}}}`
	const argument = `x","`
	body := []byte(front)
	for len(body)+len(argument)+len(back) <= size {
		body = append(body, argument...)
	}
	body = append(body, bytes.Repeat([]byte("x"), size-len(body)-len(back))...)
	return append(body, back...)
}

// postYAML sends what would become very large if it was taken apart.
func postYAML(ctx context.Context, r *room) (string, error) {
	text := []byte("a: &a [x,x,x,x,x,x,x,x]\n")
	for i := range 8 {
		next, last := rune('b'+i), rune('a'+i)
		text = fmt.Appendf(text, "%c: &%c [%s]\n", next, next, strings.Repeat(fmt.Sprintf("*%c,", last), 8))
	}
	said, err := postEach(ctx, r, manyBodies/2, "application/yaml", text)
	if err != nil {
		return "", err
	}
	asJSON, err := postEach(ctx, r, manyBodies/2, "application/json", text)
	if err == nil && (strings.Contains(said, "200") || strings.Contains(asJSON, "200")) {
		err = errors.New("YAML was answered")
	}
	return said + "; said to be JSON: " + asJSON, err
}

func postEach(ctx context.Context, r *room, count int, contentType string, body []byte) (string, error) {
	came := answers{count: map[string]int{}}
	writers, writing := errgroup.WithContext(ctx)
	for _, one := range r.pods.running() {
		for range count {
			writers.Go(func() error {
				how, err := post(writing, one.WebhookURL("/mutate-deployment"), contentType, body)
				if err != nil {
					how = "ended by the replica"
				}
				came.add(how)
				return ctx.Err()
			})
		}
	}
	err := writers.Wait()
	return came.String(), err
}

func post(ctx context.Context, to, contentType string, body []byte) (string, error) {
	// Each on a connection of its own, of a stranger who does not care to whom it talks.
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("ask a replica: %w", err)
	}
	req.Header.Set("Content-Type", contentType)
	response, err := (&http.Client{Transport: transport, Timeout: callTimeout}).Do(req)
	if err != nil {
		return "", fmt.Errorf("ask a replica: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	_, err = io.Copy(io.Discard, response.Body)
	return response.Status, err
}

// stallBodies begins as many bodies with each replica, goes no further, and waits until the replica has ended the last one.
func stallBodies(ctx context.Context, r *room) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var mu sync.Mutex
	var longest time.Duration
	refused, late := 0, 0
	var clients sync.WaitGroup
	for _, one := range r.pods.running() {
		for range stalledBodies {
			clients.Go(func() {
				conn, err := dialTLS(ctx, one.address())
				if err != nil {
					mu.Lock()
					defer mu.Unlock()
					refused++
					return
				}
				_, _ = io.WriteString(conn, beginning(100_000))
				began := time.Now()
				untilClosed(ctx, conn)
				mu.Lock()
				defer mu.Unlock()
				longest = max(longest, time.Since(began))
				if time.Since(began) > stalledMost {
					late++
				}
			})
		}
	}
	clients.Wait()
	if longest > stalledMost {
		return "", fmt.Errorf("%d of them were not ended within %s, the last after %s", late, stalledMost, longest)
	}
	return fmt.Sprintf("the last was ended after %s, %d did not get a connection", measure.Seconds(longest), refused), nil
}

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const dialTimeout = 2 * time.Second

// egress stands in for kube-proxy: the API server hands it each connection to a Service, by an egress selector as a
// control plane outside the pod network has one, and it goes on to a process on loopback.
type egress struct {
	socket string
	server *http.Server
	// services reads the Services, once there is an API server.
	services atomic.Pointer[client.WithWatch]

	mu       sync.Mutex
	backends map[types.NamespacedName][]string
	// known are the Services by address, as they were read last: kube-proxy keeps its rules while the API server is away.
	known map[string]types.NamespacedName
	turn  int
}

func startEgress(socket string) (*egress, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen for the API server's connections: %w", err)
	}
	e := &egress{socket: socket, backends: map[types.NamespacedName][]string{}}
	e.server = &http.Server{Handler: e, ReadHeaderTimeout: dialTimeout}
	go func() { _ = e.server.Serve(listener) }()
	return e, nil
}

func (e *egress) configuration() string {
	return fmt.Sprintf(`apiVersion: apiserver.k8s.io/v1beta1
kind: EgressSelectorConfiguration
egressSelections:
- name: cluster
  connection:
    proxyProtocol: HTTPConnect
    transport:
      uds:
        udsName: %s
`, e.socket)
}

// Route makes the backends, each an address on loopback, the endpoints of the Service to the API server. As with
// kube-proxy, each connection goes to one of them, another is not tried, and connections that stand are not cut.
func (p *Plane) Route(service types.NamespacedName, backends ...string) {
	p.egress.mu.Lock()
	defer p.egress.mu.Unlock()
	p.egress.backends[service] = backends
}

// ServeHTTP implements the proxy's side of CONNECT, and the API server asks for nothing else.
func (e *egress) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	out, err := e.dial(r.Context(), r.Host)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer func() { _ = out.Close() }()
	in, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = in.Close() }()
	if _, err := io.WriteString(in, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
		return
	}
	done := make(chan struct{}, 2)
	go func() { _, _ = io.Copy(out, buffered); done <- struct{}{} }()
	go func() { _, _ = io.Copy(in, out); done <- struct{}{} }()
	<-done
}

func (e *egress) dial(ctx context.Context, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	service, err := e.serviceAt(ctx, address)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	backends := e.backends[service]
	e.turn++
	turn := e.turn
	e.mu.Unlock()
	if len(backends) == 0 {
		return nil, fmt.Errorf("dial Service %s: no endpoints available", service)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", backends[turn%len(backends)])
	if err != nil {
		return nil, fmt.Errorf("dial Service %s: %w", service, err)
	}
	return conn, nil
}

func (e *egress) serviceAt(ctx context.Context, address string) (types.NamespacedName, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return types.NamespacedName{}, fmt.Errorf("dial %s: %w", address, err)
	}
	e.mu.Lock()
	service := e.known[host]
	e.mu.Unlock()
	services := e.services.Load()
	switch {
	case service.Name != "":
		// An API server takes a new connection for most of what it asks at once: to list all Services for each costs it more.
		return service, nil
	case services == nil:
		return types.NamespacedName{}, errors.New("the API server is not up yet")
	}
	var all corev1.ServiceList
	ctx, cancel := context.WithTimeout(ctx, dialTimeout/2)
	defer cancel()
	if err := (*services).List(ctx, &all); err != nil {
		return types.NamespacedName{}, fmt.Errorf("dial %s: list the Services: %w", address, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.known = map[string]types.NamespacedName{}
	for i := range all.Items {
		e.known[all.Items[i].Spec.ClusterIP] = client.ObjectKeyFromObject(&all.Items[i])
	}
	if service, ok := e.known[host]; ok {
		return service, nil
	}
	return types.NamespacedName{}, fmt.Errorf("dial %s: no Service has that address", address)
}

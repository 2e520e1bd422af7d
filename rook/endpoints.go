package rook

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"
)

// Endpoint is one mon as the mon endpoints list it.
type Endpoint struct {
	ID   string
	Addr netip.AddrPort
}

// String returns the endpoint as Rook writes it: a=10.96.0.1:6789 or a=[fd00::1]:3300.
func (e Endpoint) String() string {
	return e.ID + "=" + e.Addr.String()
}

// errAbsurdList says that a list is nothing that Rook wrote. To name each entry of it would take a thousand times its size.
var errAbsurdList = fmt.Errorf("the mon endpoints are longer than %d characters", mostEndpoints)

func isAbsurdList(data string) bool { return len(data) > mostEndpoints }

// ParseEndpoints reads the list under EndpointsDataKey. With an error it still returns the entries that it understood.
func ParseEndpoints(data string) ([]Endpoint, error) {
	if isAbsurdList(data) {
		return nil, errAbsurdList
	}
	var endpoints []Endpoint
	var errs []error
	for text := range entries(data) {
		e, err := parseEndpoint(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		endpoints = append(endpoints, e)
	}
	return endpoints, errors.Join(errs...)
}

// Listed returns where Rook's mon endpoints, which may be nil, have each mon, by its ID. What is not understood is left
// out: admission, which sees it first, reports it. Of two entries of one ID the last counts, as it does for Rook.
func Listed(endpoints *corev1.ConfigMap) map[string]netip.Addr {
	if endpoints == nil {
		return nil
	}
	parsed, _ := ParseEndpoints(endpoints.Data[EndpointsDataKey])
	listed := make(map[string]netip.Addr, len(parsed))
	for _, e := range parsed {
		listed[e.ID] = e.Addr.Addr()
	}
	return listed
}

// ListedAt returns which mon but the one the mon endpoints have at the address, or nothing.
func ListedAt(endpoints *corev1.ConfigMap, address netip.Addr, but string) string {
	for id, listed := range Listed(endpoints) {
		if id != but && listed == address {
			return id
		}
	}
	return ""
}

// FormatEndpoints writes a list as Rook does.
func FormatEndpoints(endpoints []Endpoint) string {
	texts := make([]string, len(endpoints))
	for i, e := range endpoints {
		texts[i] = e.String()
	}
	return strings.Join(texts, ",")
}

// CorrectEndpoints gives each mon whose true address is known that address, and returns the entries that were wrong as
// Rook wrote them. Order, ports and whatever it does not understand stay; for the latter there is an error as well.
func CorrectEndpoints(data string, truth map[string]netip.Addr) (corrected string, wrong []Endpoint, err error) {
	if isAbsurdList(data) {
		return data, nil, errAbsurdList
	}
	var texts []string
	var errs []error
	for text := range entries(data) {
		e, err := parseEndpoint(text)
		if err != nil {
			errs = append(errs, err)
		} else if addr, known := truth[e.ID]; known && addr != e.Addr.Addr() {
			wrong = append(wrong, e)
			text = Endpoint{ID: e.ID, Addr: netip.AddrPortFrom(addr, e.Addr.Port())}.String()
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ","), wrong, errors.Join(errs...)
}

// entries ranges over the entries of a list, of which an empty one has none.
func entries(data string) func(yield func(string) bool) {
	if data == "" {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(data, ",")
}

func parseEndpoint(text string) (Endpoint, error) {
	id, address, ok := strings.Cut(text, "=")
	// Rook trims nothing: an ID with a blank in it is that of no mon.
	if !ok || id == "" || strings.ContainsFunc(id, unicode.IsSpace) {
		return Endpoint{}, fmt.Errorf("mon endpoint %q is not of the form ID=IP:PORT", text)
	}
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return Endpoint{}, fmt.Errorf("mon endpoint %q is not of the form ID=IP:PORT: %w", text, err)
	}
	return Endpoint{ID: id, Addr: netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())}, nil
}

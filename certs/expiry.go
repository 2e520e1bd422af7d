package certs

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"
)

var expiryDesc = prometheus.NewDesc("rook_clusterset_certificate_expiry_timestamp_seconds",
	"When the serving certificate of the webhook and of the metrics expires; there is none while there is no certificate.", nil, nil)

// Expiry reports when the serving certificate expires, as it stands in CertDir at the time of a scrape.
type Expiry struct{ CertDir string }

// Describe implements prometheus.Collector.
func (Expiry) Describe(descs chan<- *prometheus.Desc) { descs <- expiryDesc }

// Collect implements prometheus.Collector. What is wrong with a certificate is said by the readiness probe.
func (e Expiry) Collect(metrics chan<- prometheus.Metric) {
	leaf, err := e.leaf()
	if err != nil {
		return
	}
	metrics <- prometheus.MustNewConstMetric(expiryDesc, prometheus.GaugeValue, float64(leaf.NotAfter.Unix()))
}

func (e Expiry) leaf() (*x509.Certificate, error) {
	text, err := os.ReadFile(filepath.Join(e.CertDir, "tls.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the serving certificate: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("the serving certificate is no PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

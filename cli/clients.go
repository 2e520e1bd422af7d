package cli

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
)

// clientsOf lets the webhook answer nobody who does not show a certificate of the CA in the file; without a file it answers
// anybody. The file is read once: another CA takes a restart.
func clientsOf(file string) (func(*tls.Config), error) {
	if file == "" {
		return func(*tls.Config) {}, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read --webhook-client-ca: %w", err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("--webhook-client-ca %s has no certificate: give a file with the CA in PEM", file)
	}
	return func(c *tls.Config) {
		c.ClientCAs, c.ClientAuth = authorities, tls.RequireAndVerifyClientCert
	}, nil
}

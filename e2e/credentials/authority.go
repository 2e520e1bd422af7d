// Package credentials makes the keys, certificates and kubeconfigs by which the parts of a cluster know each other.
package credentials

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
)

// Authority is the CA that the parts of a cluster know each other by.
type Authority struct {
	dir         string
	certificate *x509.Certificate
	key         crypto.Signer
}

// NewAuthority writes ca.crt, ca.key and sa.key, the signing key of ServiceAccounts, into the directory.
func NewAuthority(dir string) (*Authority, error) {
	a := &Authority{dir: dir}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make the key of the CA: %w", err)
	}
	if a.certificate, err = cert.NewSelfSignedCACert(cert.Config{CommonName: "control plane"}, a.key); err != nil {
		return nil, fmt.Errorf("make the certificate of the CA: %w", err)
	}
	if err := a.write("ca", a.certificate, a.key); err != nil {
		return nil, err
	}
	accountKey, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return nil, fmt.Errorf("make the key of ServiceAccounts: %w", err)
	}
	if err := keyutil.WriteKey(a.Path("sa.key"), accountKey); err != nil {
		return nil, fmt.Errorf("write the key of ServiceAccounts: %w", err)
	}
	return a, nil
}

// Server writes NAME.crt and NAME.key of a server that is reached by the names and addresses.
func (a *Authority) Server(name string, names []string, addresses ...net.IP) error {
	certificate, key, err := a.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: name},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    names,
		IPAddresses: addresses,
	})
	if err != nil {
		return err
	}
	return a.write(name, certificate, key)
}

// Client writes NAME.crt and NAME.key of a user in the groups.
func (a *Authority) Client(name, user string, groups ...string) error {
	certificate, key, err := a.issueClient(user, groups)
	if err != nil {
		return err
	}
	return a.write(name, certificate, key)
}

// Admin is the configuration of a user who may do everything.
func (a *Authority) Admin(host string) (*rest.Config, error) {
	return a.Config(host, "admin", "system:masters")
}

// Config is that of a user in the groups.
func (a *Authority) Config(host, user string, groups ...string) (*rest.Config, error) {
	certificate, key, err := a.issueClient(user, groups)
	if err != nil {
		return nil, err
	}
	config := &rest.Config{Host: host, QPS: -1}
	if config.CAData, err = cert.EncodeCertificates(a.certificate); err != nil {
		return nil, fmt.Errorf("encode the certificate of the CA: %w", err)
	}
	if config.CertData, err = cert.EncodeCertificates(certificate); err != nil {
		return nil, fmt.Errorf("encode the certificate of %s: %w", user, err)
	}
	if config.KeyData, err = keyutil.MarshalPrivateKeyToPEM(key); err != nil {
		return nil, fmt.Errorf("encode the key of %s: %w", user, err)
	}
	return config, nil
}

func (a *Authority) issueClient(user string, groups []string) (*x509.Certificate, crypto.Signer, error) {
	return a.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: user, Organization: groups},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

func (a *Authority) issue(template x509.Certificate) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make the key of %s: %w", template.Subject.CommonName, err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore = a.certificate.NotBefore
	template.NotAfter = time.Now().Add(24 * time.Hour)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, &template, a.certificate, key.Public(), a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("issue the certificate of %s: %w", template.Subject.CommonName, err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("read the certificate of %s: %w", template.Subject.CommonName, err)
	}
	return certificate, key, nil
}

func (a *Authority) write(name string, certificate *x509.Certificate, key crypto.Signer) error {
	pem, err := cert.EncodeCertificates(certificate)
	if err != nil {
		return fmt.Errorf("encode certificate %s: %w", name, err)
	}
	if err := cert.WriteCert(a.Path(name+".crt"), pem); err != nil {
		return fmt.Errorf("write certificate %s: %w", name, err)
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return fmt.Errorf("encode key %s: %w", name, err)
	}
	if err := keyutil.WriteKey(a.Path(name+".key"), keyPEM); err != nil {
		return fmt.Errorf("write key %s: %w", name, err)
	}
	return nil
}

// Path is that of a file that the authority wrote.
func (a *Authority) Path(name string) string { return filepath.Join(a.dir, name) }

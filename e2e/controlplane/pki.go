package controlplane

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

// authority is the CA that the parts of the control plane know each other by.
type authority struct {
	dir         string
	certificate *x509.Certificate
	key         crypto.Signer
}

// newAuthority writes ca.crt, ca.key, apiserver.crt, apiserver.key and sa.key, the signing key of ServiceAccounts.
func newAuthority(dir string) (*authority, error) {
	a := &authority{dir: dir}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, fmt.Errorf("make the key of the CA: %w", err)
	}
	if a.certificate, err = cert.NewSelfSignedCACert(cert.Config{CommonName: "control plane"}, a.key); err != nil {
		return nil, fmt.Errorf("make the certificate of the CA: %w", err)
	}
	if err := a.write("ca", []*x509.Certificate{a.certificate}, a.key); err != nil {
		return nil, err
	}
	serving, servingKey, err := a.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: "kube-apiserver"},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost", "kubernetes.default.svc"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.ParseIP(kubernetesServiceIP)},
	})
	if err != nil {
		return nil, err
	}
	if err := a.write("apiserver", []*x509.Certificate{serving}, servingKey); err != nil {
		return nil, err
	}
	accountKey, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return nil, fmt.Errorf("make the key of ServiceAccounts: %w", err)
	}
	if err := keyutil.WriteKey(a.path("sa.key"), accountKey); err != nil {
		return nil, fmt.Errorf("write the key of ServiceAccounts: %w", err)
	}
	return a, nil
}

// adminConfig is that of a user who may do everything.
func (a *authority) adminConfig(host string) (*rest.Config, error) {
	certificate, key, err := a.issue(x509.Certificate{
		Subject:     pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return nil, err
	}
	config := &rest.Config{Host: host, QPS: -1}
	if config.CAData, err = cert.EncodeCertificates(a.certificate); err != nil {
		return nil, fmt.Errorf("encode the certificate of the CA: %w", err)
	}
	if config.CertData, err = cert.EncodeCertificates(certificate); err != nil {
		return nil, fmt.Errorf("encode the certificate of the administrator: %w", err)
	}
	if config.KeyData, err = keyutil.MarshalPrivateKeyToPEM(key); err != nil {
		return nil, fmt.Errorf("encode the key of the administrator: %w", err)
	}
	return config, nil
}

func (a *authority) issue(template x509.Certificate) (*x509.Certificate, crypto.Signer, error) {
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

func (a *authority) write(name string, chain []*x509.Certificate, key crypto.Signer) error {
	pem, err := cert.EncodeCertificates(chain...)
	if err != nil {
		return fmt.Errorf("encode certificate %s: %w", name, err)
	}
	if err := cert.WriteCert(a.path(name+".crt"), pem); err != nil {
		return fmt.Errorf("write certificate %s: %w", name, err)
	}
	keyPEM, err := keyutil.MarshalPrivateKeyToPEM(key)
	if err != nil {
		return fmt.Errorf("encode key %s: %w", name, err)
	}
	if err := keyutil.WriteKey(a.path(name+".key"), keyPEM); err != nil {
		return fmt.Errorf("write key %s: %w", name, err)
	}
	return nil
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// selfSigned returns a CA that is its own client, and the file that holds it.
func selfSigned(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "API servers"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ca.crt")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestOnlyWhoShowsACertificateOfTheClientCAIsAnswered(t *testing.T) {
	apiServer, file := selfSigned(t)
	stranger, _ := selfSigned(t)
	answered := func(clientCA string, certificates ...tls.Certificate) bool {
		clients, err := clientsOf(clientCA)
		require.NoError(t, err)
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		server.TLS = &tls.Config{MinVersion: tls.VersionTLS13}
		clients(server.TLS)
		server.StartTLS()
		defer server.Close()
		client := server.Client()
		transport, _ := client.Transport.(*http.Transport)
		transport.TLSClientConfig.Certificates = certificates
		response, err := client.Get(server.URL)
		if err != nil {
			return false
		}
		require.NoError(t, response.Body.Close())
		return true
	}
	require.True(t, answered(""), "without the flag anybody is")
	require.True(t, answered(file, apiServer))
	require.False(t, answered(file))
	require.False(t, answered(file, stranger))
}

func TestAClientCAThatIsNoneStopsTheManagerAtItsStart(t *testing.T) {
	_, err := clientsOf(filepath.Join(t.TempDir(), "missing"))
	require.ErrorContains(t, err, "read --webhook-client-ca")
	empty := filepath.Join(t.TempDir(), "empty")
	require.NoError(t, os.WriteFile(empty, []byte("no certificate"), 0o600))
	_, err = clientsOf(empty)
	require.ErrorContains(t, err, "has no certificate")
}

package certs

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestTheMetricSaysWhenTheCertificateExpires(t *testing.T) {
	expires := time.Now().Add(90 * 24 * time.Hour)
	dir := newAuthority(t, newKey(t)).issue(t, servingName, time.Now().Add(-time.Hour), expires)
	require.InDelta(t, expires.Unix(), testutil.ToFloat64(Expiry{CertDir: dir}), 1)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "tls.crt"), []byte("nonsense"), 0o600))
	require.Zero(t, testutil.CollectAndCount(Expiry{CertDir: dir}), "a wrong number would be worse than none")
	require.Zero(t, testutil.CollectAndCount(Expiry{CertDir: t.TempDir()}))
}

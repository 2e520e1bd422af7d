package rookstandin

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// newCephxKey returns a new secret key in Ceph's encoding: the type (1, AES), when it was made in seconds and
// nanoseconds, the length, and 16 random bytes; all in base64.
func newCephxKey() (string, error) {
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return "", fmt.Errorf("make a key for Ceph: %w", err)
	}
	now := time.Now()
	var key bytes.Buffer
	for _, field := range []any{uint16(1), uint32(now.Unix()), uint32(now.Nanosecond()), uint16(len(secret)), secret} {
		if err := binary.Write(&key, binary.LittleEndian, field); err != nil {
			return "", fmt.Errorf("encode a key for Ceph: %w", err)
		}
	}
	return base64.StdEncoding.EncodeToString(key.Bytes()), nil
}

const adminCaps = "\tcaps mds = \"allow *\"\n\tcaps mon = \"allow *\"\n\tcaps osd = \"allow *\"\n\tcaps mgr = \"allow *\"\n"

// monsKeyringText is what ceph-mon --mkfs takes its first keys from.
func monsKeyringText(monKey, adminKey string) string {
	return fmt.Sprintf("[mon.]\n\tkey = %s\n\tcaps mon = \"allow *\"\n\n", monKey) + adminKeyringText(adminKey)
}

func adminKeyringText(key string) string {
	return fmt.Sprintf("[client.admin]\n\tkey = %s\n", key) + adminCaps
}

func mgrKeyringText(id, key string) string {
	return fmt.Sprintf("[mgr.%s]\n\tkey = %s\n\tcaps mon = \"allow profile mgr\"\n\tcaps mds = \"allow *\"\n\tcaps osd = \"allow *\"\n", id, key)
}

package ceph

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// NewKey returns a new secret key in Ceph's encoding: the type (1, AES), when it was made in seconds and nanoseconds, the
// length, and 16 random bytes; all in base64.
func NewKey() string {
	now := time.Now()
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // It never fails.
	key := binary.LittleEndian.AppendUint16(nil, 1)
	key = binary.LittleEndian.AppendUint32(key, uint32(now.Unix()))
	key = binary.LittleEndian.AppendUint32(key, uint32(now.Nanosecond()))
	key = binary.LittleEndian.AppendUint16(key, uint16(len(secret)))
	return base64.StdEncoding.EncodeToString(append(key, secret...))
}

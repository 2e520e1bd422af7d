package ceph

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// keyOf returns a key in Ceph's encoding: the type (1, AES), when it was made in seconds and nanoseconds, the length, and 16
// bytes; all in base64.
func keyOf(now time.Time, secret []byte) string {
	key := binary.LittleEndian.AppendUint16(nil, 1)
	key = binary.LittleEndian.AppendUint32(key, uint32(now.Unix()))
	key = binary.LittleEndian.AppendUint32(key, uint32(now.Nanosecond()))
	key = binary.LittleEndian.AppendUint16(key, uint16(len(secret)))
	return base64.StdEncoding.EncodeToString(append(key, secret...))
}

// oneKey is that of a Cluster with the same keys.
var oneKey = keyOf(time.Unix(0, 0), make([]byte, 16))

// SameKeys has the cluster give the same key to everybody, so that a story that is told again is the same to the letter.
func (c *Cluster) SameKeys() { c.sameKeys = true }

// NewKey returns a key for somebody; without a cluster it is a new one.
func (c *Cluster) NewKey() string {
	if c != nil && c.sameKeys {
		return oneKey
	}
	secret := make([]byte, 16)
	_, _ = rand.Read(secret) // It never fails.
	return keyOf(time.Now(), secret)
}

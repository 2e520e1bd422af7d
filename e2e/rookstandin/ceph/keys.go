package ceph

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

// Key returns the key of whoever has that name, in Ceph's encoding: the type (1, AES), when it was made in seconds and nanoseconds,
// the length, and 16 bytes; all in base64. It is always the same, so that a story that is told again is the same to the letter.
func Key(name string) string {
	secret := sha256.Sum256([]byte(name))
	key := binary.LittleEndian.AppendUint16(nil, 1)
	key = append(key, make([]byte, 8)...)
	key = binary.LittleEndian.AppendUint16(key, 16)
	return base64.StdEncoding.EncodeToString(append(key, secret[:16]...))
}

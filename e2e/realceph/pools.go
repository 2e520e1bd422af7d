package realceph

import (
	"context"
	"errors"
	"io"
	"strings"
)

// CreatePool creates a small pool for images, and for objects beside them.
func CreatePool(ctx context.Context, c Client, pool string) error {
	if err := run(ctx, c, "ceph", "osd", "pool", "create", pool, "8", "8"); err != nil {
		return err
	}
	return run(ctx, c, "rbd", "pool", "init", pool)
}

// PutObject writes an object.
func PutObject(ctx context.Context, c Client, pool, object string, data io.Reader) error {
	_, err := c.Run(ctx, data, "rados", "-p", pool, "put", object, "-")
	return err
}

// ObjectSum reads an object and returns the SHA-256 sum of what it read.
func ObjectSum(ctx context.Context, c Client, pool, object string) (string, error) {
	return sum(ctx, c, "rados", "-p", pool, "get", object, "-")
}

// sum runs a program that writes data, and returns the SHA-256 sum of it: the data stays where the program runs.
func sum(ctx context.Context, c Client, args ...string) (string, error) {
	out, err := c.Run(ctx, nil, append([]string{"bash", "-o", "pipefail", "-c", `"$@" | sha256sum`, "--"}, args...)...)
	if err != nil {
		return "", err
	}
	digest, _, found := strings.Cut(out, " ")
	if !found {
		return "", errors.New("sha256sum answered " + strings.TrimSpace(out))
	}
	return digest, nil
}

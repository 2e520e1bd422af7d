package realceph

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"text/template"
	"time"
)

//go:embed mirror.yaml
var mirrorText string

var mirrorDaemon = template.Must(template.New("mirror").Parse(mirrorText))

// MirrorDaemon returns what runs the mirror daemon of a cluster in its namespace.
func MirrorDaemon(ctx context.Context, c Client, namespace, image string) ([]byte, error) {
	key, err := c.Run(ctx, nil, "ceph", "auth", "get-or-create-key", "client.rbd-mirror.a", "mon", "profile rbd-mirror", "osd", "profile rbd")
	if err != nil {
		return nil, err
	}
	fsid, err := c.Run(ctx, nil, "ceph", "fsid")
	if err != nil {
		return nil, err
	}
	var filled bytes.Buffer
	err = mirrorDaemon.Execute(&filled, map[string]string{
		"Namespace": namespace, "Image": image, "Key": strings.TrimSpace(key), "FSID": strings.TrimSpace(fsid),
	})
	return filled.Bytes(), err
}

// EnableMirroring lets the images of a pool be mirrored if they have a journal.
func EnableMirroring(ctx context.Context, c Client, pool, site string) error {
	return run(ctx, c, "rbd", "mirror", "pool", "enable", "--site-name", site, pool, "pool")
}

// BootstrapToken returns what a peer needs to mirror from this cluster.
func BootstrapToken(ctx context.Context, c Client, pool, site string) (string, error) {
	out, err := c.Run(ctx, nil, "rbd", "mirror", "pool", "peer", "bootstrap", "create", "--site-name", site, pool)
	return strings.TrimSpace(out), err
}

// ImportToken makes the cluster that the token is from a peer of this one, in both directions.
func ImportToken(ctx context.Context, c Client, pool, site, token string) error {
	_, err := c.Run(ctx, strings.NewReader(token), "rbd", "mirror", "pool", "peer", "bootstrap", "import",
		"--site-name", site, "--direction", "rx-tx", pool, "-")
	return err
}

// FailOver makes the receiving side of an image the one that is written to, with nothing lost: who demotes before all is
// replayed, or promotes an image whose demotion never arrived, splits it.
func FailOver(ctx context.Context, from, to Client, pool, image string) error {
	if err := awaitMirror(ctx, to, pool, image, "up+replaying", `"entries_behind_primary":0`); err != nil {
		return err
	}
	if err := run(ctx, from, "rbd", "mirror", "image", "demote", pool+"/"+image); err != nil {
		return err
	}
	if err := awaitMirror(ctx, to, pool, image, "up+unknown", "remote image"); err != nil {
		return err
	}
	return run(ctx, to, "rbd", "mirror", "image", "promote", pool+"/"+image)
}

// awaitMirror waits until a side of an image says that its mirror is in the state, and why.
func awaitMirror(ctx context.Context, c Client, pool, image, state, description string) error {
	return Await(ctx, func() error {
		var now struct {
			State       string `json:"state"`
			Description string `json:"description"`
		}
		err := runJSON(ctx, c, &now, "rbd", "mirror", "image", "status", pool+"/"+image)
		if err == nil && (now.State != state || !strings.Contains(now.Description, description)) {
			err = fmt.Errorf("the mirror of image %s/%s is %s (%s), and not %s (%s)", pool, image, now.State, now.Description, state, description)
		}
		return err
	})
}

// Await tries until there is no error, and returns the last one when the context ends.
func Await(ctx context.Context, try func() error) error {
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(context.Cause(ctx), err)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

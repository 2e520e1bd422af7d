package controlplane

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	// dataLink is what the kubelet calls the link to the directory with the current files of a volume.
	dataLink     = "..data"
	rewatchPause = time.Second
)

// MountSecret stands in for the kubelet: it waits for the Secret, writes it into the directory as a volume would have
// it, and follows every change of it until the control plane is stopped.
func (p *Plane) MountSecret(ctx context.Context, secret types.NamespacedName, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("mount Secret %s: %w", secret, err)
	}
	mounted := make(chan struct{})
	m := &secretMount{client: p.Client, secret: secret, dir: dir, mounted: mounted}
	p.background.Go(func() { m.follow(p.lifetime) })
	select {
	case <-mounted:
		return nil
	case <-p.lifetime.Done():
		return fmt.Errorf("mount Secret %s: %w", secret, context.Cause(p.lifetime))
	case <-ctx.Done():
		return fmt.Errorf("wait for Secret %s: %w\n%s", secret, ctx.Err(), p.certManager.Tail())
	}
}

type secretMount struct {
	client client.WithWatch
	secret types.NamespacedName
	dir    string
	// mounted is closed and set to nil with the first write.
	mounted chan struct{}
	version string
}

// follow writes what it sees, and begins again when the watch ends or a write fails.
func (m *secretMount) follow(ctx context.Context) {
	for ctx.Err() == nil {
		_ = m.watch(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(rewatchPause):
		}
	}
}

func (m *secretMount) watch(ctx context.Context) error {
	events, err := m.client.Watch(ctx, &corev1.SecretList{}, client.InNamespace(m.secret.Namespace),
		client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", m.secret.Name)})
	if err != nil {
		return fmt.Errorf("watch Secret %s: %w", m.secret, err)
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		secret, ok := event.Object.(*corev1.Secret)
		if !ok || event.Type == watch.Deleted {
			continue
		}
		if err := m.write(secret); err != nil {
			return err
		}
	}
	return nil
}

func (m *secretMount) write(secret *corev1.Secret) error {
	if secret.ResourceVersion == m.version {
		return nil
	}
	if err := writeVolume(m.dir, secret.Data); err != nil {
		return fmt.Errorf("mount Secret %s: %w", m.secret, err)
	}
	m.version = secret.ResourceVersion
	if m.mounted != nil {
		close(m.mounted)
		m.mounted = nil
	}
	return nil
}

// writeVolume makes the files those of the directory in one step, by a link to a directory with them, and removes the
// files that were there before.
func writeVolume(dir string, files map[string][]byte) error {
	link := filepath.Join(dir, dataLink)
	before, err := os.Readlink(link)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	now, err := os.MkdirTemp(dir, "..files")
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(now, name), data, 0o600); err != nil {
			return err
		}
	}
	// The kubelet's own name for it; one may be left from a write that failed.
	next := link + "_tmp"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Symlink(filepath.Base(now), next); err != nil {
		return err
	}
	if err := os.Rename(next, link); err != nil {
		return err
	}
	if err := linkFiles(dir, slices.Collect(maps.Keys(files))); err != nil || before == "" {
		return err
	}
	return os.RemoveAll(filepath.Join(dir, before))
}

// linkFiles gives each file its name in the directory, through the one link that changes.
func linkFiles(dir string, names []string) error {
	for _, name := range names {
		err := os.Symlink(filepath.Join(dataLink, name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	return nil
}

package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
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
	mounted, version := make(chan struct{}), ""
	write := func(s *corev1.Secret) bool {
		if s.ResourceVersion != version {
			if writeVolume(dir, s.Data) != nil {
				return false
			}
			if version == "" {
				close(mounted)
			}
			version = s.ResourceVersion
		}
		return true
	}
	p.background.Go(func() {
		wait.UntilWithContext(p.lifetime, func(ctx context.Context) { p.followSecret(ctx, secret, write) }, rewatchPause)
	})
	select {
	case <-mounted:
		return nil
	case <-p.lifetime.Done():
		return fmt.Errorf("mount Secret %s: %w", secret, context.Cause(p.lifetime))
	case <-ctx.Done():
		return fmt.Errorf("wait for Secret %s: %w\n%s", secret, ctx.Err(), p.certManager.Tail())
	}
}

// followSecret hands on what it sees, until the watch ends or a write fails.
func (p *Plane) followSecret(ctx context.Context, name types.NamespacedName, write func(*corev1.Secret) bool) {
	events, err := p.Client.Watch(ctx, &corev1.SecretList{}, client.InNamespace(name.Namespace),
		client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("metadata.name", name.Name)})
	if err != nil {
		return
	}
	defer events.Stop()
	for event := range events.ResultChan() {
		if secret, ok := event.Object.(*corev1.Secret); ok && event.Type != watch.Deleted && !write(secret) {
			return
		}
	}
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
	// Each file has its name in the directory through the one link that changes.
	for name := range files {
		err := os.Symlink(filepath.Join(dataLink, name), filepath.Join(dir, name))
		if err != nil && !errors.Is(err, os.ErrExist) {
			return err
		}
	}
	if before == "" {
		return nil
	}
	return os.RemoveAll(filepath.Join(dir, before))
}

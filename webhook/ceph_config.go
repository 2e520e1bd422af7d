package webhook

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// cephConfigObject names the one Secret that is ever sent here. Of its content nothing may reach a log.
const cephConfigObject = "ceph-config"

// newCephConfig corrects mon_host, which every daemon reads at its start. A mon whose own entry in it is not the address
// that it advertises never gets a rank.
func newCephConfig(r replacer, ensurer Ensurer) decider {
	return &corrector[*corev1.Secret, rook.Replacements]{
		name:         cephConfigObject,
		empty:        func() *corev1.Secret { return &corev1.Secret{} },
		concerns:     func(s *corev1.Secret) bool { return s.Name == rook.ConfigSecretName },
		replacements: func(ctx context.Context, s *corev1.Secret) (rook.Replacements, error) { return r.of(ctx, s.Namespace) },
		correct: func(s *corev1.Secret, replacements rook.Replacements) (bool, error) {
			monHost, changed := rook.CorrectMonHost(string(s.Data[rook.MonHostKey]), replacements)
			if changed {
				s.Data[rook.MonHostKey] = []byte(monHost)
			}
			return changed, nil
		},
		corrected: reason.MonHostCorrected,
		written: func(ctx context.Context, namespace string, s *corev1.Secret) error {
			return noteMonHost(ctx, r.view, ensurer, namespace, string(s.Data[rook.MonHostKey]))
		},
	}
}

// noteMonHost notes that mon_host tells of mons to be born what it had not told of them yet.
func noteMonHost(ctx context.Context, view View, ensurer Ensurer, namespace, monHost string) error {
	ctx, cancel := reading(ctx)
	defer cancel()
	before, err := view.Remembered(ctx, namespace)
	if err != nil {
		return err
	}
	after := before.AfterMonHost(monHost)
	if len(before.ChangesTo(after)) == 0 {
		return nil
	}
	return ensurer.NoteRemembered(ctx, namespace, before, after)
}

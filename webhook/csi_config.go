package webhook

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// newCSIConfig corrects the ConfigMap of the CSI drivers, which lists the mons of every cluster of the operator.
func newCSIConfig(r replacer) decider {
	return &corrector[*corev1.ConfigMap, map[string]rook.Replacements]{
		name:     "csi-config",
		empty:    func() *corev1.ConfigMap { return &corev1.ConfigMap{} },
		concerns: func(c *corev1.ConfigMap) bool { return c.Name == rook.CSIConfigName },
		replacements: func(ctx context.Context, _ *corev1.ConfigMap) (map[string]rook.Replacements, error) {
			return r.ofAll(ctx)
		},
		correct: func(c *corev1.ConfigMap, replacements map[string]rook.Replacements) (bool, error) {
			text, changed, err := rook.CorrectCSIConfigs(c.Data[rook.EndpointsCSIKey], func(namespace string) rook.Replacements { return replacements[namespace] })
			if changed {
				c.Data[rook.EndpointsCSIKey] = text
			}
			return changed, err
		},
		corrected: reason.CSIConfigCorrected,
	}
}

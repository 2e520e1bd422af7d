package view

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rook-clusterset/rook-clusterset/rook"
)

func TestWhoeverSaysThatNothingIsToBeMovedIsListenedTo(t *testing.T) {
	for name, c := range map[string]struct{ label, annotation, want string }{
		"nobody says anything":                 {"", "", ""},
		"the label says yes":                   {"true", "", ""},
		"the annotation says no":               {"", "false", "false"},
		"and the label, of before, yes":        {"true", "false", "false"},
		"the label says no":                    {"false", "true", "false"},
		"the annotation says pause beside yes": {"true", "pause", "pause"},
		"no goes before pause":                 {"pause", "false", "false"},
		"a word that is none of these":         {"", "off", "pause"},
		"the same with a capital":              {"", "False", "pause"},
		"why is said as well":                  {"", "false: " + strings.Repeat("see the runbook ", 10), "pause"},
	} {
		t.Run(name, func(t *testing.T) {
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
				Labels: map[string]string{rook.MigrateSwitch: c.label}, Annotations: map[string]string{rook.MigrateSwitch: c.annotation},
			}}
			require.Equal(t, c.want, readSwitches(namespace).Migrate)
			require.Equal(t, c.want, readSwitches(trimNamespace(namespace)).Migrate, "as the cache has it")
		})
	}
}

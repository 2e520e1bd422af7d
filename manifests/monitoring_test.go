package manifests

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
)

// ofLibraries are metrics that we register by the libraries that we use; a scenario sees each of them scraped.
var ofLibraries = []string{"leader_election_master_status", "process_cpu_seconds_total", "process_resident_memory_bytes"}

var (
	metricName  = regexp.MustCompile(`\b(?:rook_clusterset|leader_election|process|go|workqueue|controller_runtime)_[a-z_]+\b`)
	ofHistogram = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// alertRules is the spec of the PrometheusRule, which is a file of rules.
func alertRules(t *testing.T) (text []byte, alerts []map[string]any) {
	t.Helper()
	file, err := os.ReadFile("monitoring/prometheus-rule.yaml")
	require.NoError(t, err)
	var object struct {
		Spec struct {
			Groups []struct {
				Name  string           `json:"name"`
				Rules []map[string]any `json:"rules"`
			} `json:"groups"`
		} `json:"spec"`
	}
	require.NoError(t, yaml.Unmarshal(file, &object))
	for _, group := range object.Spec.Groups {
		alerts = append(alerts, group.Rules...)
	}
	require.NotEmpty(t, alerts)
	text, err = yaml.Marshal(object.Spec)
	require.NoError(t, err)
	return text, alerts
}

// registered are the names that stand in the product's code.
func registered(t *testing.T) []string {
	t.Helper()
	names := slices.Clone(ofLibraries)
	require.NoError(t, filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "e2e" || strings.HasPrefix(entry.Name(), ".") && path != "..") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if value, err := strconv.Unquote(literal.Value); err == nil && value != "" && metricName.FindString(value) == value {
					names = append(names, value)
				}
			}
			return true
		})
		return nil
	}))
	return names
}

// queries are those of the dashboard.
func queries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("monitoring/dashboard.json")
	require.NoError(t, err)
	var dashboard struct {
		Panels []struct {
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(text, &dashboard))
	var found []string
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			found = append(found, target.Expr)
		}
	}
	require.NotEmpty(t, found)
	return found
}

func TestAlertsAndDashboardNameOnlyMetricsThatAreRegistered(t *testing.T) {
	names := registered(t)
	require.Contains(t, names, "rook_clusterset_admissions_total")
	expressions := queries(t)
	_, alerts := alertRules(t)
	for _, alert := range alerts {
		expressions = append(expressions, alert["expr"].(string))
	}
	used := map[string]bool{}
	for _, expression := range expressions {
		for _, name := range metricName.FindAllString(expression, -1) {
			if !slices.Contains(names, name) {
				name = ofHistogram.ReplaceAllString(name, "")
			}
			require.Contains(t, names, name, expression)
			used[name] = true
		}
	}
	for _, name := range names {
		require.True(t, used[name], "%s is in no alert and not on the dashboard", name)
	}
}

func TestEachAlertHasARunbookAndAStory(t *testing.T) {
	page, err := os.ReadFile("../docs/alerts.md")
	require.NoError(t, err)
	stories, err := os.ReadFile("monitoring/testdata/rules_test.yaml")
	require.NoError(t, err)
	var named []string
	_, alerts := alertRules(t)
	for _, alert := range alerts {
		name := alert["alert"].(string)
		named = append(named, name)
		require.Contains(t, string(page), "\n### "+name+"\n")
		require.Contains(t, string(stories), "- alertname: "+name+"\n", "a story in which it fires")
		require.Contains(t, []any{"critical", "warning"}, alert["labels"].(map[string]any)["severity"], name)
		annotations := alert["annotations"].(map[string]any)
		require.Equal(t, "https://github.com/rook-clusterset/rook-clusterset/blob/main/docs/alerts.md#"+strings.ToLower(name), annotations["runbook_url"])
		require.NotEmpty(t, annotations["summary"], name)
		require.NotEmpty(t, annotations["description"], name)
	}
	for _, section := range regexp.MustCompile(`(?m)^### (\w+)$`).FindAllStringSubmatch(string(page), -1) {
		require.Contains(t, named, section[1], "a runbook without an alert")
	}
}

func TestEachAlertFiresWhereItShouldAndNowhereElse(t *testing.T) {
	if os.Getenv("KUBEBUILDER_ASSETS") == "" {
		t.Skip("KUBEBUILDER_ASSETS names no directory, so that programs of others are not asked for")
	}
	programs, err := assets.Build(t.Context(), assets.Prometheus)
	require.NoError(t, err)
	dir := t.TempDir()
	text, _ := alertRules(t)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules.yaml"), text, 0o600))
	stories, err := os.ReadFile("monitoring/testdata/rules_test.yaml")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "rules_test.yaml"), stories, 0o600))
	for _, args := range [][]string{{"check", "rules", "--lint-fatal", "rules.yaml"}, {"test", "rules", "rules_test.yaml"}} {
		promtool := exec.CommandContext(t.Context(), filepath.Join(programs, "promtool"), args...)
		promtool.Dir = dir
		out, err := promtool.CombinedOutput()
		require.NoError(t, err, string(out))
	}
}

func TestTheComponentGoesWithTheBase(t *testing.T) {
	kubectl := filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl")
	if _, err := os.Stat(kubectl); err != nil || !filepath.IsAbs(kubectl) {
		t.Skip("KUBEBUILDER_ASSETS names no directory with kubectl")
	}
	here, err := filepath.Abs(".")
	require.NoError(t, err)
	overlay := t.TempDir()
	up, err := filepath.Rel(overlay, here)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(overlay, "kustomization.yaml"), []byte("resources: ["+up+"/base]\ncomponents: ["+up+"/monitoring]\n"), 0o600))
	out, err := exec.CommandContext(t.Context(), kubectl, "kustomize", overlay).Output()
	require.NoError(t, err)
	for _, want := range []string{"kind: ServiceMonitor\n", "kind: PrometheusRule\n", "name: rook-clusterset-dashboard\n", "name: rook-clusterset-prometheus\n"} {
		require.Contains(t, string(out), want)
	}
	// The labels of the base are on the Service that the ServiceMonitor selects, and do not change what it selects by.
	require.NotContains(t, string(out), "    matchLabels:\n      app.kubernetes.io/component: metrics\n      app.kubernetes.io/name: rook-clusterset\n      app.kubernetes.io/version")
}

package scenarios_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/e2e/assets"
	"github.com/rook-clusterset/rook-clusterset/e2e/process"
)

// prometheus is where a running one answers.
type prometheus string

// startPrometheus lets a real Prometheus scrape the replicas each second, as the ServiceMonitor has one do, and evaluate the
// shipped rules.
func startPrometheus(t *testing.T) prometheus {
	t.Helper()
	programs, err := assets.Build(t.Context(), assets.Prometheus)
	require.NoError(t, err)
	reader, err := shared.Plane.MetricsReader(t.Context())
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	var targets []string
	for _, replica := range shared.Replicas {
		at, err := url.Parse(replica.MetricsURL())
		require.NoError(t, err)
		targets = append(targets, at.Host)
	}
	text, err := os.ReadFile("../../manifests/monitoring/prometheus-rule.yaml")
	require.NoError(t, err)
	var rule map[string]any
	require.NoError(t, yaml.Unmarshal(text, &rule))
	rules, err := yaml.Marshal(rule["spec"])
	require.NoError(t, err)
	config, err := yaml.Marshal(map[string]any{
		"global":     map[string]any{"scrape_interval": "1s", "evaluation_interval": "1s"},
		"rule_files": []string{write("rules.yaml", rules)},
		"scrape_configs": []any{map[string]any{
			"job_name": "rook-clusterset-metrics", "scheme": "https", "honor_labels": true,
			"authorization":  map[string]any{"credentials": reader.Token},
			"tls_config":     map[string]any{"ca_file": write("ca.crt", reader.CA), "server_name": reader.ServerName},
			"static_configs": []any{map[string]any{"targets": targets}},
		}},
	})
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())
	running, err := process.Start(dir, "prometheus", filepath.Join(programs, "prometheus"), nil,
		"--config.file="+write("prometheus.yaml", config), "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	require.NoError(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			log, _ := os.ReadFile(running.Log())
			t.Log(string(log))
		}
		require.NoError(t, running.Stop(syscall.SIGTERM))
	})
	return prometheus("http://" + address)
}

// get reads what stands in data of the answer, or returns why there is none.
func (p prometheus) get(path string, into any) error {
	answer, err := http.Get(string(p) + path)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	said := struct {
		Error string
		Data  any
	}{Data: into}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if said.Error != "" {
		return fmt.Errorf("%s: %s", path, said.Error)
	}
	return nil
}

func (p prometheus) query(expression string) ([]json.RawMessage, error) {
	var data struct{ Result []json.RawMessage }
	err := p.get("/api/v1/query?query="+url.QueryEscape(expression), &data)
	return data.Result, err
}

// dashboard returns the queries of the panels as Grafana sends them for a namespace, and the title of the panel of each.
func dashboard(t *testing.T, namespace string) map[string]string {
	t.Helper()
	text, err := os.ReadFile("../../manifests/monitoring/dashboard.json")
	require.NoError(t, err)
	var d struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	require.NoError(t, json.Unmarshal(text, &d))
	fill := strings.NewReplacer("$namespace", namespace, "$__rate_interval", "1m")
	titles := map[string]string{}
	for _, panel := range d.Panels {
		for _, target := range panel.Targets {
			titles[fill.Replace(target.Expr)] = panel.Title
		}
	}
	require.NotEmpty(t, titles)
	return titles
}

// A cluster that ran before is switched on, so that every panel has something to show.
func TestARealPrometheusShowsThePanelsOfTheDashboardAndWorksTheRulesOut(t *testing.T) {
	born := newStory(t, true)
	p := startPrometheus(t)
	born.createCephCluster()
	born.startOperator()
	born.comesUp()
	s := storyOf(t, shared.World, born.Namespace+"-before", false)
	s.bringsUp()
	s.switchOn()

	for query, title := range dashboard(t, s.Namespace) {
		s.eventually(title+" has something to show: "+query, func() bool {
			samples, err := p.query(query)
			for _, sample := range samples {
				t.Logf("%s | %s", title, sample)
			}
			return err == nil && len(samples) > 0
		})
	}

	var evaluated struct {
		Groups []struct {
			Rules []struct {
				Name, Health, LastError string
			}
		}
	}
	s.eventually("each rule was worked out", func() bool {
		require.NoError(t, p.get("/api/v1/rules", &evaluated))
		for _, group := range evaluated.Groups {
			for _, rule := range group.Rules {
				require.Empty(t, rule.LastError, rule.Name)
				if rule.Health != "ok" {
					return false
				}
			}
		}
		return len(evaluated.Groups) == 3
	})
	firing, err := p.query(`ALERTS{alertname=~".*(Down|NoLeader|Certificate.*)"}`)
	require.NoError(t, err)
	require.Empty(t, firing)
}

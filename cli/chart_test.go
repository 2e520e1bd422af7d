package cli

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// The chart has values of its own for these, or they belong to its objects.
var notOfTheChart = []string{
	"namespace", "leader-elect", "cert-dir", "webhook-port", "webhook-client-ca", "metrics-bind-address", "health-probe-bind-address",
}

func TestTheChartKnowsEachFlagOfTheManager(t *testing.T) {
	ofCluster := pflag.NewFlagSet("", pflag.ContinueOnError)
	newClusterFlags(ofCluster)
	want := map[string]string{}
	managerCommand("").Flags().VisitAll(func(f *pflag.Flag) {
		if ofCluster.Lookup(f.Name) == nil {
			want[f.Name] = map[string]string{"bool": "boolean", "int": "integer", "stringSlice": "array"}[f.Value.Type()]
		}
	})
	for _, name := range notOfTheChart {
		require.Contains(t, want, name)
		delete(want, name)
	}

	var schema struct {
		Properties struct {
			Flags struct {
				Properties map[string]struct {
					Type string `json:"type"`
				} `json:"properties"`
			} `json:"flags"`
		} `json:"properties"`
	}
	text, err := os.ReadFile("../manifests/chart/values.schema.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &schema))
	got := map[string]string{}
	for name, property := range schema.Properties.Flags.Properties {
		// A string may be described by its values or by a pattern.
		if property.Type == "string" {
			property.Type = ""
		}
		got[name] = property.Type
	}
	require.Equal(t, want, got)
}

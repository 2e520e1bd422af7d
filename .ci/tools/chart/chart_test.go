package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const (
	chartDir  = "../../../manifests/chart"
	namespace = "rook-clusterset"
)

// Helm tells of every link that it follows, and files/ has nothing else.
func TestMain(m *testing.M) {
	slog.SetLogLoggerLevel(slog.LevelWarn)
	os.Exit(m.Run())
}

// objects are what a manifest holds, by kind and name.
type objects map[string]map[string]any

func parse(t *testing.T, manifest []byte) objects {
	t.Helper()
	found := objects{}
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifest), 4096)
	for {
		object := map[string]any{}
		err := decoder.Decode(&object)
		if errors.Is(err, io.EOF) {
			return found
		}
		require.NoError(t, err)
		if len(object) == 0 {
			continue
		}
		u := unstructured.Unstructured{Object: object}
		key := u.GetKind() + "/" + u.GetName()
		require.NotContains(t, found, key)
		found[key] = object
	}
}

// at returns what stands below an object.
func (o objects) at(t *testing.T, key string, path ...string) any {
	t.Helper()
	require.Contains(t, o, key)
	value, found, err := unstructured.NestedFieldNoCopy(o[key], path...)
	require.NoError(t, err)
	require.True(t, found, "%s has no %v", key, path)
	return value
}

// manager returns a field of the manager's container.
func (o objects) manager(t *testing.T, field string) any {
	t.Helper()
	containers := o.at(t, "Deployment/rook-clusterset", "spec", "template", "spec", "containers").([]any)
	require.Len(t, containers, 1)
	return containers[0].(map[string]any)[field]
}

// install renders as `helm template` does.
func install(t *testing.T, chart, namespace, values string) (objects, error) {
	t.Helper()
	loaded, err := loader.Load(chart)
	require.NoError(t, err)
	given := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(values), &given))
	client := action.NewInstall(&action.Configuration{})
	client.KubeVersion = &common.KubeVersion{Version: "v1.30.0", Major: "1", Minor: "30"}
	client.DryRunStrategy, client.ReleaseName, client.Namespace = action.DryRunClient, "rook-clusterset", namespace
	rendered, err := client.RunWithContext(t.Context(), loaded, given)
	if err != nil {
		return nil, err
	}
	return parse(t, []byte(rendered.(*release.Release).Manifest)), nil
}

func rendered(t *testing.T, values string) objects {
	t.Helper()
	found, err := install(t, chartDir, namespace, values)
	require.NoError(t, err)
	return found
}

func shipped(t *testing.T) objects {
	t.Helper()
	text, err := os.ReadFile("../../../manifests/install.yaml")
	require.NoError(t, err)
	return parse(t, text)
}

func TestByDefaultTheObjectsAreThoseOfTheManifest(t *testing.T) {
	want := shipped(t)
	require.Greater(t, len(want), 20)
	require.Equal(t, want, rendered(t, "createNamespace: true"))
	delete(want, "Namespace/rook-clusterset")
	require.Equal(t, want, rendered(t, ""), "Helm itself makes the Namespace")
}

func TestThePackedChartRendersTheSame(t *testing.T) {
	archive, err := pack(chartDir, t.TempDir())
	require.NoError(t, err)
	found, err := install(t, archive, namespace, "")
	require.NoError(t, err)
	require.Equal(t, rendered(t, ""), found)
}

func TestThePackedChartDependsOnNoTime(t *testing.T) {
	archive, err := pack(chartDir, t.TempDir())
	require.NoError(t, err)
	packed, err := os.Open(archive)
	require.NoError(t, err)
	defer packed.Close() //nolint:errcheck // It is only read.
	unzipped, err := gzip.NewReader(packed)
	require.NoError(t, err)
	require.True(t, unzipped.ModTime.IsZero())
	reader, files := tar.NewReader(unzipped), 0
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		require.True(t, epoch.Equal(header.ModTime), "%s is of %s", header.Name, header.ModTime)
		files++
	}
	require.Greater(t, files, 10)
}

func TestHelmFindsNothingToSayAgainstTheChart(t *testing.T) {
	for _, message := range lint.RunAll(chartDir, map[string]any{}, namespace).Messages {
		require.Contains(t, message.Error(), "icon is recommended")
	}
}

func TestTheVersionIsThatOfTheTree(t *testing.T) {
	version, err := os.ReadFile("../../../VERSION")
	require.NoError(t, err)
	loaded, err := loader.LoadDir(chartDir)
	require.NoError(t, err)
	require.Equal(t, string(version), loaded.AppVersion()+"\n")
	require.Equal(t, string(version), "v"+loaded.Metadata.Version+"\n")
	require.Equal(t, "ghcr.io/rook-clusterset/rook-clusterset:"+loaded.AppVersion(), rendered(t, "").manager(t, "image"))
}

func TestNoFileOfTheChartIsLost(t *testing.T) {
	loaded, err := loader.LoadDir(chartDir)
	require.NoError(t, err)
	links, err := filepath.Glob(filepath.Join(chartDir, "files", "*"))
	require.NoError(t, err)
	require.Len(t, loaded.Files, len(links)+1, "the files, and .helmignore")
}

// Command chart packs the Helm chart as Helm does, and the same chart gives the same bytes.
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
)

// epoch stands for every time, so that the archive depends on its content alone.
var epoch = time.Unix(0, 0)

func main() {
	chart := flag.String("chart", "manifests/chart", "directory of the chart")
	out := flag.String("o", "dist", "directory to write into")
	flag.Parse()
	// Helm tells of every link that it follows, and files/ has nothing else.
	slog.SetLogLoggerLevel(slog.LevelWarn)
	archive, err := pack(*chart, *out)
	if err != nil {
		fmt.Fprintf(os.Stderr, "error: %v\n", err)
		os.Exit(1)
	}
	fmt.Println(archive)
}

// pack returns the path of the archive.
func pack(chart, out string) (string, error) {
	loaded, err := loader.LoadDir(chart)
	if err != nil {
		return "", fmt.Errorf("load the chart %s: %w", chart, err)
	}
	loaded.StampModTimes(epoch)
	archive, err := chartutil.Save(loaded, out)
	if err != nil {
		return "", fmt.Errorf("pack the chart %s: %w", chart, err)
	}
	return archive, nil
}

// Package manifests holds what `kubectl apply` installs. The objects stand in base/, one subject to a file and with the
// reasons for each setting; install.yaml is built from them by `make manifests`.
package manifests

import _ "embed"

// Install is the content of install.yaml.
//
//go:embed install.yaml
var Install []byte

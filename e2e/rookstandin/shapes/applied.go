package shapes

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// LastApplied is the annotation that holds what the operator wrote last: a zip archive of one file, in base64.
const LastApplied = "banzaicloud.com/last-applied"

type noted string

// SetLastApplied notes on the Deployment what it is now.
func SetLastApplied(d *appsv1.Deployment) {
	text := withoutNote(d)
	note := remembered(noted(text), func() string { return zipOf(text) })
	metav1.SetMetaDataAnnotation(&d.ObjectMeta, LastApplied, note)
}

// zipOf writes to memory, which takes everything.
func zipOf(text []byte) string {
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	must(must(archive.Create("original")).Write(text))
	if err := archive.Close(); err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(buffer.Bytes())
}

// lastApplied returns what SetLastApplied noted, nil if there is no note.
func lastApplied(d *appsv1.Deployment) ([]byte, error) {
	note := d.Annotations[LastApplied]
	if note == "" {
		return nil, nil
	}
	zipped, err := base64.StdEncoding.DecodeString(note)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", LastApplied, err)
	}
	archive, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		return nil, fmt.Errorf("unzip %s: %w", LastApplied, err)
	}
	return fs.ReadFile(archive, "original")
}

// comparison is one of a Deployment that is stored with one that is wanted: a reconcile finds the same as the one before.
type comparison [2][sha256.Size]byte

// Differs says whether the Deployment must be written: a three-way diff of what was applied last, what is wanted and
// what is stored. What somebody else added is no difference, except in args and command, which are lists as a whole.
func Differs(stored, wanted *appsv1.Deployment) (bool, error) {
	stored = stored.DeepCopy()
	// What the API server alone writes is no difference.
	stored.UID, stored.ResourceVersion, stored.Generation, stored.CreationTimestamp = "", "", 0, metav1.Time{}
	stored.ManagedFields, stored.Status = nil, appsv1.DeploymentStatus{}
	type effect struct {
		patch []byte
		err   error
	}
	made := remembered(comparison{sha256.Sum256(must(stored.Marshal())), sha256.Sum256(must(wanted.Marshal()))}, func() effect {
		patch, err := effectOf(stored, wanted)
		return effect{patch, err}
	})
	if made.err != nil {
		return false, fmt.Errorf("compare Deployment %s with what is wanted: %w", stored.Name, made.err)
	}
	return string(made.patch) != "{}", nil
}

var deploymentSchema = must(strategicpatch.NewPatchMetaFromStruct(appsv1.Deployment{}))

func effectOf(stored, wanted *appsv1.Deployment) ([]byte, error) {
	original, err := lastApplied(stored)
	if err != nil {
		return nil, err
	}
	current := withoutStatus(stored)
	patch, err := strategicpatch.CreateThreeWayMergePatch(original, withoutNote(wanted), current, deploymentSchema, true)
	if err != nil {
		return nil, err
	}
	// A patch can hold nothing but the order of lists; only its effect tells.
	patched, err := strategicpatch.StrategicMergePatchUsingLookupPatchMeta(current, patch, deploymentSchema)
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateTwoWayMergePatchUsingLookupPatchMeta(current, patched, deploymentSchema)
}

func withoutNote(d *appsv1.Deployment) []byte {
	clean := *d
	clean.Annotations = maps.Clone(d.Annotations)
	delete(clean.Annotations, LastApplied)
	return withoutStatus(&clean)
}

func withoutStatus(d *appsv1.Deployment) []byte {
	return must(json.Marshal(struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Spec              appsv1.DeploymentSpec `json:"spec"`
	}{d.TypeMeta, d.ObjectMeta, d.Spec}))
}

package shapes

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// LastApplied is the annotation that holds what the operator wrote last: a zip archive of one file, in base64.
const LastApplied = "banzaicloud.com/last-applied"

// notes holds what was noted, by the text that it was made of.
var notes memo

// SetLastApplied notes on the Deployment what it is now. It panics where Make does: if what we make is no JSON.
func SetLastApplied(d *appsv1.Deployment) {
	text, err := withoutNote(d)
	if err != nil {
		panic(fmt.Sprintf("note what Deployment %s is: %v", d.Name, err))
	}
	metav1.SetMetaDataAnnotation(&d.ObjectMeta, LastApplied, notes.get(string(text), func() any { return zipOf(text) }).(string))
}

// zipOf writes to memory, which takes everything.
func zipOf(text []byte) string {
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	file, err := archive.Create("original")
	if err == nil {
		_, err = file.Write(text)
	}
	if err = errors.Join(err, archive.Close()); err != nil {
		panic(fmt.Sprintf("zip a Deployment: %v", err))
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
	file, err := archive.Open("original")
	if err != nil {
		return nil, fmt.Errorf("unzip %s: %w", LastApplied, err)
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(file)
}

// comparisons holds what came of each: a reconcile finds the same Deployments as the one before.
var comparisons memo

// Differs says whether the Deployment must be written: a three-way diff of what was applied last, what is wanted and
// what is stored. What somebody else added is no difference, except in args and command, which are lists as a whole.
func Differs(stored, wanted *appsv1.Deployment) (bool, error) {
	stored = stored.DeepCopy()
	// What the API server alone writes is no difference.
	stored.UID, stored.ResourceVersion, stored.Generation, stored.CreationTimestamp = "", "", 0, metav1.Time{}
	stored.ManagedFields, stored.Status = nil, appsv1.DeploymentStatus{}
	key, err := keyOf(stored, wanted)
	if err != nil {
		return false, err
	}
	type comparison struct {
		effect []byte
		err    error
	}
	made, _ := comparisons.get(key, func() any {
		effect, err := effectOf(stored, wanted)
		return comparison{effect, err}
	}).(comparison)
	if made.err != nil {
		return false, fmt.Errorf("compare Deployment %s with what is wanted: %w", stored.Name, made.err)
	}
	return string(made.effect) != "{}", nil
}

func keyOf(deployments ...*appsv1.Deployment) (string, error) {
	hash := sha256.New()
	for _, d := range deployments {
		content, err := d.Marshal()
		if err != nil {
			return "", fmt.Errorf("marshal Deployment %s: %w", d.Name, err)
		}
		_, _ = hash.Write(content)
	}
	return string(hash.Sum(nil)), nil
}

func effectOf(stored, wanted *appsv1.Deployment) ([]byte, error) {
	original, err := lastApplied(stored)
	if err != nil {
		return nil, err
	}
	modified, err := withoutNote(wanted)
	if err != nil {
		return nil, err
	}
	current, err := withoutStatus(stored)
	if err != nil {
		return nil, err
	}
	schema, err := strategicpatch.NewPatchMetaFromStruct(appsv1.Deployment{})
	if err != nil {
		return nil, err
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(original, modified, current, schema, true)
	if err != nil {
		return nil, err
	}
	// A patch can hold nothing but the order of lists; only its effect tells.
	patched, err := strategicpatch.StrategicMergePatchUsingLookupPatchMeta(current, patch, schema)
	if err != nil {
		return nil, err
	}
	return strategicpatch.CreateTwoWayMergePatchUsingLookupPatchMeta(current, patched, schema)
}

func withoutNote(d *appsv1.Deployment) ([]byte, error) {
	clean := *d
	clean.Annotations = maps.Clone(d.Annotations)
	delete(clean.Annotations, LastApplied)
	return withoutStatus(&clean)
}

func withoutStatus(d *appsv1.Deployment) ([]byte, error) {
	return json.Marshal(struct {
		metav1.TypeMeta   `json:",inline"`
		metav1.ObjectMeta `json:"metadata"`
		Spec              appsv1.DeploymentSpec `json:"spec"`
	}{d.TypeMeta, d.ObjectMeta, d.Spec})
}

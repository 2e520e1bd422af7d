package rookstandin

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// lastAppliedAnnotation holds what the operator wrote last: a zip archive of one file, in base64.
const lastAppliedAnnotation = "banzaicloud.com/last-applied"

// setLastApplied notes on the Deployment what it is now.
func setLastApplied(d *appsv1.Deployment) error {
	note, err := notesMade.of(func() (string, error) { return lastAppliedNote(d) }, d)
	if err == nil {
		metav1.SetMetaDataAnnotation(&d.ObjectMeta, lastAppliedAnnotation, note)
	}
	return err
}

func lastAppliedNote(d *appsv1.Deployment) (string, error) {
	text, err := appliedJSON(d)
	if err != nil {
		return "", err
	}
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	file, err := archive.Create("original")
	if err != nil {
		return "", err
	}
	if _, err := file.Write(text); err != nil {
		return "", err
	}
	if err := archive.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(buffer.Bytes()), nil
}

// lastApplied returns what setLastApplied noted, nil if there is no note.
func lastApplied(d *appsv1.Deployment) ([]byte, error) {
	note := d.Annotations[lastAppliedAnnotation]
	if note == "" {
		return nil, nil
	}
	zipped, err := base64.StdEncoding.DecodeString(note)
	if err != nil {
		return nil, fmt.Errorf("decode %s: %w", lastAppliedAnnotation, err)
	}
	archive, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		return nil, fmt.Errorf("unzip %s: %w", lastAppliedAnnotation, err)
	}
	file, err := archive.Open("original")
	if err != nil {
		return nil, fmt.Errorf("unzip %s: %w", lastAppliedAnnotation, err)
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(file)
}

// differs says whether the Deployment must be written: a three-way diff of what was applied last, what is wanted and
// what is stored. What somebody else added is no difference, except in args and command, which are lists as a whole.
func differs(stored, wanted *appsv1.Deployment) (bool, error) {
	stored = stored.DeepCopy()
	// What the API server alone writes is no difference.
	stored.UID, stored.ResourceVersion, stored.Generation, stored.CreationTimestamp = "", "", 0, metav1.Time{}
	stored.Status = appsv1.DeploymentStatus{}
	return comparisonsMade.of(func() (bool, error) { return compare(stored, wanted) }, stored, wanted)
}

func compare(stored, wanted *appsv1.Deployment) (bool, error) {
	original, err := lastApplied(stored)
	if err != nil {
		return false, err
	}
	modified, err := appliedJSON(wanted)
	if err != nil {
		return false, err
	}
	current, err := withoutStatus(stored)
	if err != nil {
		return false, err
	}
	schema, err := strategicpatch.NewPatchMetaFromStruct(appsv1.Deployment{})
	if err != nil {
		return false, err
	}
	patch, err := strategicpatch.CreateThreeWayMergePatch(original, modified, current, schema, true)
	if err != nil {
		return false, fmt.Errorf("compare Deployment %s with what is wanted: %w", stored.Name, err)
	}
	// A patch can hold nothing but the order of lists; only its effect tells.
	patched, err := strategicpatch.StrategicMergePatchUsingLookupPatchMeta(current, patch, schema)
	if err != nil {
		return false, fmt.Errorf("compare Deployment %s with what is wanted: %w", stored.Name, err)
	}
	effect, err := strategicpatch.CreateTwoWayMergePatchUsingLookupPatchMeta(current, patched, schema)
	if err != nil {
		return false, fmt.Errorf("compare Deployment %s with what is wanted: %w", stored.Name, err)
	}
	return string(effect) != "{}", nil
}

func appliedJSON(d *appsv1.Deployment) ([]byte, error) {
	clean := d.DeepCopy()
	delete(clean.Annotations, lastAppliedAnnotation)
	if len(clean.Annotations) == 0 {
		clean.Annotations = nil
	}
	return withoutStatus(clean)
}

func withoutStatus(d *appsv1.Deployment) ([]byte, error) {
	text, err := json.Marshal(d)
	if err != nil {
		return nil, err
	}
	var content map[string]any
	if err := json.Unmarshal(text, &content); err != nil {
		return nil, err
	}
	delete(content, "status")
	return json.Marshal(dropNulls(content))
}

func dropNulls(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, item := range v {
			if item == nil {
				delete(v, key)
			} else {
				v[key] = dropNulls(item)
			}
		}
	case []any:
		for i := range v {
			v[i] = dropNulls(v[i])
		}
	}
	return v
}

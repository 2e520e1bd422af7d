package rookstandin

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
)

// lastAppliedAnnotation holds what the operator wrote last: a zip archive of one file, in base64.
const lastAppliedAnnotation = "banzaicloud.com/last-applied"

// notes are what an operator has noted and compared of each Deployment: in most reconciles nothing is new, and to find that
// out anew is most of what the stand-in costs.
type notes struct {
	mu       sync.Mutex
	noted    map[string]noted
	compared map[string]compared
}

type noted struct {
	of   *appsv1.Deployment
	note string
}

type compared struct {
	stored, wanted *appsv1.Deployment
	differs        bool
}

func newNotes() *notes { return &notes{noted: map[string]noted{}, compared: map[string]compared{}} }

// setLastApplied notes on the Deployment what it is now.
func (n *notes) setLastApplied(d *appsv1.Deployment) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if last, ok := n.noted[d.Name]; ok && equality.Semantic.DeepEqual(last.of, d) {
		metav1.SetMetaDataAnnotation(&d.ObjectMeta, lastAppliedAnnotation, last.note)
		return nil
	}
	before := d.DeepCopy()
	if err := setLastApplied(d); err != nil {
		return err
	}
	n.noted[d.Name] = noted{of: before, note: d.Annotations[lastAppliedAnnotation]}
	return nil
}

// differs says whether the Deployment must be written.
func (n *notes) differs(stored, wanted *appsv1.Deployment) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	// What the API server adds to every write is no difference.
	stored = stored.DeepCopy()
	stored.ResourceVersion, stored.Generation = "", 0
	last, ok := n.compared[wanted.Name]
	if ok && equality.Semantic.DeepEqual(last.wanted, wanted) && equality.Semantic.DeepEqual(last.stored, stored) {
		return last.differs, nil
	}
	result, err := differs(stored, wanted)
	if err == nil {
		n.compared[wanted.Name] = compared{stored: stored, wanted: wanted.DeepCopy(), differs: result}
	}
	return result, err
}

// setLastApplied notes on the Deployment what it is now.
func setLastApplied(d *appsv1.Deployment) error {
	text, err := appliedJSON(d)
	if err != nil {
		return err
	}
	var buffer bytes.Buffer
	archive := zip.NewWriter(&buffer)
	file, err := archive.Create("original")
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		return err
	}
	if err := archive.Close(); err != nil {
		return err
	}
	if d.Annotations == nil {
		d.Annotations = map[string]string{}
	}
	d.Annotations[lastAppliedAnnotation] = base64.StdEncoding.EncodeToString(buffer.Bytes())
	return nil
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

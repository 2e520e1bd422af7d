package webhook

import (
	"encoding/json"
	"fmt"

	"gomodules.xyz/jsonpatch/v2"
)

// objectPatch returns the JSON patch that turns before into after, which differ. It compares the two as our Go types write them, never with what the API server
// sent: a field that these types do not know is in neither, so that it stays.
func objectPatch(before, after any) ([]byte, error) {
	was, err := json.Marshal(before)
	if err != nil {
		return nil, fmt.Errorf("encode the object as it came: %w", err)
	}
	is, err := json.Marshal(after)
	if err != nil {
		return nil, fmt.Errorf("encode the corrected object: %w", err)
	}
	operations, err := jsonpatch.CreatePatch(was, is)
	if err != nil {
		return nil, fmt.Errorf("compare the corrected object with the object as it came: %w", err)
	}
	patch, err := json.Marshal(operations)
	if err != nil {
		return nil, fmt.Errorf("encode the correction: %w", err)
	}
	return patch, nil
}

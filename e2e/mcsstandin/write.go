package mcsstandin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// put brings what is stored to what is wanted: it leaves alone what wanted does not name, and null removes. Conditions are
// merged by type. A kind that is not installed is passed over. An object without a name gets one.
func (s *Standin) put(ctx context.Context, wanted *unstructured.Unstructured) error {
	current, found, err := s.stored(ctx, wanted)
	if err == nil && !found {
		current = wanted.DeepCopy()
		err = s.client.Create(ctx, current)
	}
	if meta.IsNoMatchError(err) {
		return nil
	}
	what := fmt.Sprintf("%s %s/%s", wanted.GetKind(), wanted.GetNamespace(), wanted.GetName())
	if err != nil {
		return fmt.Errorf("write %s: %w", what, err)
	}
	wanted.SetName(current.GetName())
	content := maps.Clone(wanted.Object)
	delete(content, "status")
	if found && !carries(current.Object, content) {
		if err := s.client.Patch(ctx, current, mergePatch(content)); err != nil {
			return fmt.Errorf("change %s: %w", what, err)
		}
	}
	status, err := merged(current, wanted)
	if err != nil {
		return fmt.Errorf("read the status of %s: %w", what, err)
	}
	if carries(current.Object["status"], status) {
		return nil
	}
	if err := s.client.Status().Patch(ctx, current, mergePatch(map[string]any{"status": status})); err != nil {
		return fmt.Errorf("set the status of %s: %w", what, err)
	}
	return nil
}

func (s *Standin) stored(ctx context.Context, wanted *unstructured.Unstructured) (*unstructured.Unstructured, bool, error) {
	if wanted.GetName() == "" {
		return nil, false, nil
	}
	current := &unstructured.Unstructured{}
	current.SetGroupVersionKind(wanted.GroupVersionKind())
	err := s.client.Get(ctx, client.ObjectKeyFromObject(wanted), current)
	return current, err == nil, client.IgnoreNotFound(err)
}

// remove deletes an object of this kind and name, if there is one, whatever finalizers it has.
func (s *Standin) remove(ctx context.Context, wanted *unstructured.Unstructured) error {
	current, found, err := s.stored(ctx, wanted)
	if meta.IsNoMatchError(err) || (err == nil && !found) {
		return nil
	}
	if err == nil && len(current.GetFinalizers()) > 0 {
		err = s.client.Patch(ctx, current, mergePatch(map[string]any{"metadata": map[string]any{"finalizers": nil}}))
	}
	if err == nil {
		err = s.client.Delete(ctx, current)
	}
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s %s/%s: %w", wanted.GetKind(), wanted.GetNamespace(), wanted.GetName(), err)
	}
	return nil
}

func mergePatch(content map[string]any) client.Patch {
	// What came of JSON goes back into it.
	text, _ := json.Marshal(content)
	return client.RawPatch(types.MergePatchType, text)
}

// merged returns the wanted status with the conditions that are stored, as the wanted ones change them.
func merged(current, wanted *unstructured.Unstructured) (map[string]any, error) {
	status, _ := wanted.Object["status"].(map[string]any)
	if _, ok := status["conditions"]; !ok {
		return status, nil
	}
	var before, changes struct {
		Status struct {
			Conditions []metav1.Condition `json:"conditions"`
		} `json:"status"`
	}
	converter := runtime.DefaultUnstructuredConverter
	if err := converter.FromUnstructured(current.Object, &before); err != nil {
		return nil, err
	}
	if err := converter.FromUnstructured(wanted.Object, &changes); err != nil {
		return nil, err
	}
	conditions := before.Status.Conditions
	for _, c := range changes.Status.Conditions {
		meta.SetStatusCondition(&conditions, c)
	}
	before.Status.Conditions = conditions
	content, err := converter.ToUnstructured(&before)
	if err != nil {
		return nil, err
	}
	status = maps.Clone(status)
	status["conditions"] = content["status"].(map[string]any)["conditions"]
	return status, nil
}

// carries says whether current has all that is wanted.
func carries(current, wanted any) bool {
	switch w := wanted.(type) {
	case map[string]any:
		has, _ := current.(map[string]any)
		for name, value := range w {
			if !carries(has[name], value) {
				return false
			}
		}
		return true
	case []any:
		has, _ := current.([]any)
		if len(has) != len(w) {
			return false
		}
		for i := range w {
			if !carries(has[i], w[i]) {
				return false
			}
		}
		return true
	default:
		return reflect.DeepEqual(current, wanted)
	}
}

// throttle lets no more writes through in a second, after the first ten, as the client of Globalnet does. Submariner reads
// from its caches.
func throttle(cfg *rest.Config, perSecond float32) {
	if perSecond == 0 {
		return
	}
	limiter := flowcontrol.NewTokenBucketRateLimiter(perSecond, 10)
	cfg.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Method != http.MethodGet {
				if err := limiter.Wait(r.Context()); err != nil {
					return nil, fmt.Errorf("wait for the turn of a request: %w", err)
				}
			}
			return next.RoundTrip(r)
		})
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

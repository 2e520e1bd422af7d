package mcsstandin

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"

	jsonpatch "github.com/evanphx/json-patch/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// put brings what is stored to what is wanted: it leaves alone what wanted does not name, and null removes. A kind that is not
// installed is passed over.
func (s *Standin) put(ctx context.Context, wanted *unstructured.Unstructured) error {
	current := wanted.DeepCopy()
	err := s.client.Get(ctx, client.ObjectKeyFromObject(wanted), current)
	if apierrors.IsNotFound(err) {
		current = wanted.DeepCopy()
		err = s.client.Create(ctx, current)
	}
	content, status := maps.Clone(wanted.Object), wanted.Object["status"]
	delete(content, "status")
	if err == nil {
		err = change(current, content, func(patch client.Patch) error { return s.client.Patch(ctx, current, patch) })
	}
	if err == nil && status != nil {
		err = change(current, map[string]any{"status": status}, func(patch client.Patch) error { return s.client.Status().Patch(ctx, current, patch) })
	}
	if err != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("write %s %s/%s: %w", wanted.GetKind(), wanted.GetNamespace(), wanted.GetName(), err)
	}
	return nil
}

// change applies what is wanted, if it changes what is stored.
func change(current *unstructured.Unstructured, wanted map[string]any, apply func(client.Patch) error) error {
	patch, err := json.Marshal(wanted)
	if err != nil {
		return err
	}
	before, err := current.MarshalJSON()
	if err != nil {
		return err
	}
	after, err := jsonpatch.MergePatch(before, patch)
	if err != nil || jsonpatch.Equal(before, after) {
		return err
	}
	return apply(client.RawPatch(types.MergePatchType, patch))
}

// remove deletes an object of this kind and name, if there is one, whatever finalizers it has.
func (s *Standin) remove(ctx context.Context, o *unstructured.Unstructured) error {
	err := s.client.Patch(ctx, o, client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
	if err == nil {
		err = s.client.Delete(ctx, o)
	}
	if client.IgnoreNotFound(err) != nil && !meta.IsNoMatchError(err) {
		return fmt.Errorf("delete %s %s/%s: %w", o.GetKind(), o.GetNamespace(), o.GetName(), err)
	}
	return nil
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

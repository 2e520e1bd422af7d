package webhook

import (
	"context"
	"errors"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/reason"
	"github.com/rook-clusterset/rook-clusterset/rook"
)

// replacing are the replacements of one cluster, or those of several by namespace.
type replacing interface {
	rook.Replacements | map[string]rook.Replacements
}

// corrector puts right an object in which Rook repeats the addresses of its mons. It never refuses.
type corrector[T client.Object, R replacing] struct {
	name  string
	empty func() T
	// concerns says whether the object is the one that Rook writes, by its name.
	concerns     func(T) bool
	replacements func(context.Context, T) (R, error)
	correct      func(T, R) (changed bool, err error)
	corrected    reason.Code
	// written is told what will be stored; nil where nobody has to know.
	written func(ctx context.Context, namespace string, object T) error
}

func (c *corrector[T, R]) object() string { return c.name }

func (*corrector[T, R]) mustRefuse(context.Context, admission.Request) bool { return false }

func (c *corrector[T, R]) decide(ctx context.Context, req admission.Request) (answer, error) {
	incoming := c.empty()
	if err := decode(req.Object, incoming); err != nil {
		if c.name == cephConfigObject {
			// What a decoder says of a Secret may quote it.
			err = errors.New("not a Secret as this release knows it")
		}
		return answer{}, fmt.Errorf("decode the %s: %w", req.Kind.Kind, err)
	}
	if !c.concerns(incoming) {
		return answer{code: reason.AlreadyRight}, nil
	}
	replacements, err := c.replacements(ctx, incoming)
	if err != nil {
		return answer{}, err
	}
	a, stored, err := c.put(incoming, replacements)
	if err == nil && c.written != nil && !isDryRun(req) {
		a.fault = c.written(ctx, req.Namespace, stored)
	}
	return a, err
}

// put puts the object right, and returns what is stored then.
func (c *corrector[T, R]) put(incoming T, replacements R) (answer, T, error) {
	if len(replacements) == 0 {
		return answer{code: reason.AlreadyRight}, incoming, nil
	}
	corrected, _ := incoming.DeepCopyObject().(T)
	changed, err := c.correct(corrected, replacements)
	if err != nil {
		return answer{code: reason.MalformedEndpoints, message: err.Error()}, incoming, nil
	}
	if !changed {
		return answer{code: reason.AlreadyRight}, incoming, nil
	}
	patch, err := objectPatch(incoming, corrected)
	return answer{code: c.corrected, patch: patch}, corrected, err
}

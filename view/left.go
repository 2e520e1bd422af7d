package view

import (
	"context"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

// LeftBehind returns how many exports of ours live in each namespace that is not switched on; one without any is not named.
func (v *View) LeftBehind(ctx context.Context) (map[string]int, error) {
	enabled, err := v.EnabledNamespaces(ctx)
	if err != nil {
		return nil, err
	}
	exports, err := v.kinds.List(ctx, kinds.ServiceExport)
	if err != nil {
		return nil, err
	}
	left := map[string]int{}
	for i := range exports {
		if readExport(&exports[i]).Ours {
			left[exports[i].GetNamespace()]++
		}
	}
	for _, namespace := range enabled {
		delete(left, namespace)
	}
	return left, nil
}

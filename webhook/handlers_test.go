package webhook

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/rook-clusterset/rook-clusterset/kinds"
	"github.com/rook-clusterset/rook-clusterset/reason"
)

func TestHandlersAnswerWithoutAServer(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-osd-3"] = ready("242.1.255.9")
	h, err := NewHandlers(w, w, w, Options{Hold: shortHold, MaxHeld: 1})
	require.NoError(t, err)
	response := h.Handle(t.Context(), DeploymentPath, creation(t, osd("3")))
	require.Equal(t, reason.Rewritten, reasonOf(response))
	response = h.Handle(t.Context(), "/elsewhere", creation(t, osd("3")))
	require.Equal(t, int32(http.StatusNotFound), response.Result.Code)
	require.False(t, response.Allowed)
}

func TestAChangeThatIsToldEndsAHold(t *testing.T) {
	w := newWorld()
	w.exports["rook-ceph-osd-3"] = waiting()
	h, err := NewHandlers(w, w, w, Options{Hold: longHold, MaxHeld: 1})
	require.NoError(t, err)
	answer := make(chan reason.Code, 1)
	go func() { answer <- reasonOf(h.Handle(t.Context(), DeploymentPath, creation(t, osd("3")))) }()
	require.Eventually(t, func() bool {
		h.holds.mu.Lock()
		defer h.holds.mu.Unlock()
		return len(h.holds.places.taken) == 1
	}, longHold, shortHold)
	w.change(func(w *world) { w.exports["rook-ceph-osd-3"] = ready("242.1.255.9") })
	_, ends := h.Changed(schema.GroupKind{Group: "submariner.io", Kind: "GlobalIngressIP"}, &metav1.ObjectMeta{Namespace: rookNamespace})
	require.False(t, ends, "it was not said to be read")
	namespace, ends := h.Changed(kinds.ServiceExport, &metav1.ObjectMeta{Namespace: rookNamespace})
	require.True(t, ends)
	require.Equal(t, rookNamespace, namespace)
	require.Equal(t, reason.Rewritten, <-answer)
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	jsonpatch "github.com/evanphx/json-patch/v5"
	admissionv1 "k8s.io/api/admission/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/rook-clusterset/rook-clusterset/rook"
	"github.com/rook-clusterset/rook-clusterset/webhook"
)

// pathOf says where the API server sends a write, by the rules of manifests/base/webhook.yaml; empty means nowhere.
func pathOf(o client.Object, creation bool) string {
	switch gk, name, app := kindOf(o), o.GetName(), o.GetLabels()[rook.AppLabel]; {
	case gk == deploymentKind && (app == rook.MonApp || app == rook.OSDApp):
		return webhook.DeploymentPath
	case gk == configMapKind && name == rook.MonEndpointsName:
		return webhook.MonEndpointsPath
	case gk == configMapKind && name == rook.CSIConfigName:
		return webhook.CSIConfigPath
	case gk == secretKind && name == rook.ConfigSecretName:
		return webhook.CephConfigPath
	case gk == sliceKind && (name == rook.ActiveMonsIPv4Name || name == rook.ActiveMonsIPv6Name):
		return webhook.ActiveMonsPath
	case gk == connectionKind:
		return webhook.CephConnectionPath
	case gk == serviceKind && app == rook.MonApp && creation:
		return webhook.MonServicePath
	}
	return ""
}

// admit asks a replica what becomes of a write. It returns what is to be stored, and whether that is stored already.
func (w *world) admit(ctx context.Context, incoming, stored client.Object) (admitted client.Object, same bool, err error) {
	path := pathOf(incoming, stored == nil)
	namespace := w.store.get(namespaceKind, types.NamespacedName{Name: incoming.GetNamespace()})
	if path == "" || namespace == nil || namespace.GetLabels()[rook.EnabledLabel] != "true" {
		return incoming, false, nil
	}
	if w.webhookDown > 0 && actorOf(ctx) == nobody {
		w.tell("the webhook cannot be reached: the write of %s is refused", named(incoming))
		w.faults["refusal"]++
		return nil, false, apierrors.NewInternalError(fmt.Errorf("failed calling webhook for %s", named(incoming)))
	}
	req, err := w.request(ctx, incoming, stored)
	if err != nil {
		return nil, false, err
	}
	replica := w.replicas[w.rng.IntN(len(w.replicas))]
	w.answering = append(w.answering, incoming.GetNamespace())
	response := replica.handlers.Handle(ctx, path, req)
	w.answering = w.answering[:len(w.answering)-1]
	w.tellAnswer(replica, incoming, response)
	switch {
	case !response.Allowed:
		return nil, false, denied(*response.Result)
	case len(response.Patch) == 0:
		return incoming, bytes.Equal(req.Object.Raw, req.OldObject.Raw), nil
	}
	patch, err := jsonpatch.DecodePatch(response.Patch)
	if err != nil {
		return nil, false, err
	}
	content, err := patch.Apply(req.Object.Raw)
	if err != nil {
		return nil, false, fmt.Errorf("apply what admission answered on %s: %w", named(incoming), err)
	}
	admitted = emptyLike(incoming)
	return admitted, false, json.Unmarshal(content, admitted)
}

func denied(status metav1.Status) error {
	status.Status = metav1.StatusFailure
	status.Message = "admission webhook denied the request: " + status.Message
	return &apierrors.StatusError{ErrStatus: status}
}

// request is what the API server sends.
func (w *world) request(ctx context.Context, incoming, stored client.Object) (admission.Request, error) {
	gk := kindOf(incoming)
	req := admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		UID: "request", Kind: metav1.GroupVersionKind{Group: gk.Group, Version: "v1", Kind: gk.Kind},
		Namespace: incoming.GetNamespace(), Name: incoming.GetName(), Operation: admissionv1.Create,
	}}
	if req.UserInfo.Username = string(actorOf(ctx)); req.UserInfo.Username == "" {
		req.UserInfo.Username = "system:serviceaccount:" + operatorNamespace + ":rook-ceph-system"
	}
	raw, err := json.Marshal(incoming)
	if err != nil {
		return req, err
	}
	req.Object = runtime.RawExtension{Raw: raw}
	if stored == nil {
		return req, nil
	}
	req.Operation = admissionv1.Update
	raw, err = w.store.encoded(stored)
	req.OldObject = runtime.RawExtension{Raw: raw}
	return req, err
}

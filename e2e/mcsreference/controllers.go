// Package mcsreference stands in for the reference controllers of mcs-api v0.5: an implementation of the Multi-Cluster
// Services API without any address that is valid in the whole clusterset. What it puts into a ServiceImport is the ClusterIP
// of a Service of the importing cluster, and it says nothing on a ServiceExport.
//
// It is an oracle of its own: nothing of the product is imported.
package mcsreference

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	mcsv1beta1 "sigs.k8s.io/mcs-api/pkg/apis/v1beta1"
)

// DerivedServiceAnnotation on a ServiceImport names the Service whose ClusterIP it has.
const DerivedServiceAnnotation = "multicluster.kubernetes.io/derived-service"

// Start runs the controllers for all namespaces until the context ends. The kinds of v1beta1 must be installed before. The
// error, if any, is that of the start; the channel is closed when all has stopped.
func Start(ctx context.Context, cfg *rest.Config) (<-chan struct{}, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(mcsv1beta1.Install(scheme))
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme: scheme, Logger: logr.Discard(), HealthProbeBindAddress: "0",
		Metrics:    metricsserver.Options{BindAddress: "0"},
		Controller: config.Controller{SkipNameValidation: new(true)},
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager of the reference controllers: %w", err)
	}
	c := controllers{mgr.GetClient()}
	if err := ctrl.NewControllerManagedBy(mgr).Named("reference").For(&mcsv1beta1.ServiceExport{}).Complete(c); err != nil {
		return nil, fmt.Errorf("make the reference controllers: %w", err)
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		utilruntime.HandleError(mgr.Start(ctx))
	}()
	return stopped, nil
}

type controllers struct {
	client.Client
}

// Reconcile makes the ServiceImport of an exported Service, which users of the reference controllers make by hand, and the
// derived Service, and tells the address of one in the other.
func (c controllers) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	exported := &corev1.Service{}
	if err := c.Get(ctx, req.NamespacedName, exported); err != nil {
		return reconcile.Result{}, fmt.Errorf("get the exported Service %s: %w", req, err)
	}
	meta := metav1.ObjectMeta{Namespace: req.Namespace, Name: req.Name}
	imported := &mcsv1beta1.ServiceImport{ObjectMeta: meta}
	meta.Name = derivedName(req.NamespacedName)
	derived := &corev1.Service{ObjectMeta: meta}
	_, err := controllerutil.CreateOrUpdate(ctx, c, imported, func() error {
		imported.Annotations = map[string]string{DerivedServiceAnnotation: derived.Name}
		imported.Spec.Type = mcsv1beta1.ClusterSetIP
		imported.Spec.Ports = nil
		for _, port := range exported.Spec.Ports {
			imported.Spec.Ports = append(imported.Spec.Ports, mcsv1beta1.ServicePort{
				Name: port.Name, Protocol: port.Protocol, Port: port.Port,
			})
		}
		return nil
	})
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("write ServiceImport %s: %w", req, err)
	}
	_, err = controllerutil.CreateOrUpdate(ctx, c, derived, func() error {
		derived.OwnerReferences = []metav1.OwnerReference{{
			APIVersion: mcsv1beta1.GroupVersion.String(), Kind: "ServiceImport", Name: imported.Name, UID: imported.UID,
		}}
		derived.Spec.Ports = nil
		for _, port := range imported.Spec.Ports {
			derived.Spec.Ports = append(derived.Spec.Ports, corev1.ServicePort{Name: port.Name, Protocol: port.Protocol, Port: port.Port})
		}
		return nil
	})
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("write the derived Service %s: %w", derived.Name, err)
	}
	_, err = controllerutil.CreateOrPatch(ctx, c, imported, func() error {
		imported.Spec.IPs = derived.Spec.ClusterIPs
		return nil
	})
	if err != nil {
		return reconcile.Result{}, fmt.Errorf("tell the address of ServiceImport %s: %w", req, err)
	}
	return reconcile.Result{}, nil
}

func derivedName(service types.NamespacedName) string {
	sum := sha256.Sum256([]byte(service.String()))
	return "derived-" + strings.ToLower(base32.HexEncoding.EncodeToString(sum[:]))[:10]
}

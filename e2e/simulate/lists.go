package main

import (
	"iter"
	"maps"
	"net/netip"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
)

type addr = netip.Addr
type schemaGroupKind = schema.GroupKind

func mapsKeys(m map[string]bool) iter.Seq[string] { return maps.Keys(m) }
func secondsOf(n int) time.Duration               { return time.Duration(n) * time.Second }

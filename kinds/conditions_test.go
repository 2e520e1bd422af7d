package kinds_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/rook-clusterset/rook-clusterset/kinds"
)

func TestConditionsAreReadFromEitherVersion(t *testing.T) {
	for _, version := range []string{"v1alpha1", "v1beta1", "v1"} {
		t.Run(version, func(t *testing.T) {
			export := object(t, `
apiVersion: multicluster.x-k8s.io/`+version+`
kind: ServiceExport
metadata: {name: rook-ceph-mon-a, namespace: rook-ceph}
status:
  conditions:
  - {type: Valid, status: "True", reason: "", message: "", lastTransitionTime: "2026-01-01T00:00:00Z", observedGeneration: 3}
  - {type: Ready, status: "False", reason: AwaitingExport, message: awaiting aggregation on the broker, lastTransitionTime: "2026-01-02T00:00:00Z"}
`)
			got := kinds.Conditions(export)
			require.Len(t, got, 2)
			require.Equal(t, "Valid", got[0].Type)
			require.Equal(t, metav1.ConditionTrue, got[0].Status)
			require.EqualValues(t, 3, got[0].ObservedGeneration)
			require.True(t, got[0].LastTransitionTime.Equal(&metav1.Time{Time: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}))
			require.Equal(t, "AwaitingExport", got[1].Reason)
			require.Equal(t, "awaiting aggregation on the broker", got[1].Message)
		})
	}
}

func TestConditionsOfAnExportThatNobodyReportedOn(t *testing.T) {
	tests := map[string]string{
		"without a status":                        ``,
		"with an empty status":                    `status: {}`,
		"with a status that is none":              `status: "?"`,
		"with conditions of the wrong type":       `status: {conditions: {Valid: true}}`,
		"with conditions that are not conditions": `status: {conditions: ["Valid"]}`,
	}
	for name, status := range tests {
		t.Run(name, func(t *testing.T) {
			for _, version := range []string{"v1alpha1", "v1beta1"} {
				export := object(t, "apiVersion: multicluster.x-k8s.io/"+version+"\nkind: ServiceExport\n"+status)
				require.Empty(t, kinds.Conditions(export))
			}
		})
	}
}

func TestConditionsOfTheFirstReleaseCanLackReasonMessageAndTime(t *testing.T) {
	export := object(t, `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceExport
status:
  conditions:
  - {type: Valid, status: "True", reason: null, message: null, lastTransitionTime: null}
  - {type: Conflict, status: "False"}
`)
	got := kinds.Conditions(export)
	require.Len(t, got, 2)
	require.Equal(t, metav1.Condition{Type: "Valid", Status: metav1.ConditionTrue}, got[0])
	require.Equal(t, metav1.Condition{Type: "Conflict", Status: metav1.ConditionFalse}, got[1])
}

func TestTheNewestConditionOfATypeCounts(t *testing.T) {
	at := func(day int, status metav1.ConditionStatus) metav1.Condition {
		return metav1.Condition{Type: "Valid", Status: status, LastTransitionTime: metav1.Date(2026, 1, day, 0, 0, 0, 0, time.UTC)}
	}
	for name, c := range map[string]struct {
		conditions []metav1.Condition
		want       metav1.ConditionStatus
	}{
		"whichever stands first":              {[]metav1.Condition{at(2, "True"), at(1, "False")}, "True"},
		"whichever stands last":               {[]metav1.Condition{at(1, "False"), at(2, "True")}, "True"},
		"the later of two of the same second": {[]metav1.Condition{at(1, "False"), at(1, "True")}, "True"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, kinds.Latest(c.conditions, "Valid").Status)
			require.Nil(t, kinds.Latest(c.conditions, "Ready"))
		})
	}
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &u.Object))
	return u
}

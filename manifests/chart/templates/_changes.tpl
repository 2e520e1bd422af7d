{{- /* Each of these changes the object that it is given, and renders nothing. */ -}}

{{- define "rook-clusterset.refuse" }}
{{- if ne .Release.Namespace "rook-clusterset" }}
{{- fail (printf "rook-clusterset is installed into the namespace rook-clusterset and no other, for its policies and certificates name it: give --namespace rook-clusterset --create-namespace (it was %q)" .Release.Namespace) }}
{{- end }}
{{- if and .Values.networkPolicy.enabled (not .Values.networkPolicy.apiServers) }}
{{- fail "networkPolicy.apiServers is empty: give the ranges from which API servers reach pods, or no mon or OSD is born" }}
{{- end }}
{{- if and .Values.networkPolicy.enabled .Values.hostNetwork }}
{{- fail "networkPolicy.enabled with hostNetwork: a NetworkPolicy does not hold for pods on the host network; close the port on the nodes" }}
{{- end }}
{{- if and .Values.monitoring.enabled (eq (toString (get .Values.flags "metrics-secure")) "false") }}
{{- fail "monitoring.enabled with flags.metrics-secure false: the ServiceMonitor reads over TLS" }}
{{- end }}
{{- with .Values.ports }}
{{- if ne 3 (len (uniq (list (int .webhook) (int .metrics) (int .health)))) }}
{{- fail (printf "ports: webhook (%v), metrics (%v) and health (%v) have to differ" .webhook .metrics .health) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "rook-clusterset.label" }}
{{- $ours := dict "app.kubernetes.io/name" "rook-clusterset" "app.kubernetes.io/version" .root.Chart.AppVersion }}
{{- $_ := set .meta "labels" (merge (deepCopy .root.Values.extraLabels) (default dict .meta.labels) $ours) }}
{{- end }}

{{- define "rook-clusterset.namespace" }}
{{- if .root.Values.hostNetwork }}
{{- range $mode := list "enforce" "audit" "warn" }}
{{- $_ := set $.meta.labels (printf "pod-security.kubernetes.io/%s" $mode) "privileged" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "rook-clusterset.network-policy" }}
{{- $from := list }}
{{- range .root.Values.networkPolicy.apiServers }}
{{- $from = append $from (dict "ipBlock" (dict "cidr" .)) }}
{{- end }}
{{- $_ := set (first .spec.ingress) "from" $from }}
{{- end }}

{{- define "rook-clusterset.image" }}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ default $.Chart.AppVersion .tag }}{{ end }}
{{- end }}
{{- end }}

{{- define "rook-clusterset.deployment" }}
{{- $values := .root.Values }}
{{- $pod := .spec.template.spec }}
{{- $manager := first $pod.containers }}
{{- $_ := set .spec "replicas" $values.replicas }}
{{- $_ := include "rook-clusterset.label" (dict "meta" .spec.template.metadata "root" .root) }}
{{- $_ := set $pod "nodeSelector" $values.nodeSelector }}
{{- with $values.tolerations }}
{{- $_ := set $pod "tolerations" . }}
{{- end }}
{{- with $values.imagePullSecrets }}
{{- $_ := set $pod "imagePullSecrets" . }}
{{- end }}
{{- $_ := set $manager "image" (include "rook-clusterset.image" .root) }}
{{- $_ := set $manager "imagePullPolicy" $values.image.pullPolicy }}
{{- $_ := set $manager "resources" $values.resources }}
{{- $_ := include "rook-clusterset.args" (dict "manager" $manager "values" $values) }}
{{- with $values.webhookClientCA }}
{{- $mount := dict "name" "webhook-client-ca" "mountPath" "/var/run/rook-clusterset/webhook-client-ca" "readOnly" true }}
{{- $_ := set $manager "volumeMounts" (append $manager.volumeMounts $mount) }}
{{- $_ := set $pod "volumes" (append $pod.volumes (dict "name" "webhook-client-ca" "configMap" (dict "name" .))) }}
{{- end }}
{{- if $values.hostNetwork }}
{{- $_ := set $pod "hostNetwork" true }}
{{- /* Names of the cluster, and clusterset.local, are asked for as in any other pod. */}}
{{- $_ := set $pod "dnsPolicy" "ClusterFirstWithHostNet" }}
{{- /* A node has each port once: one more replica may find none. */}}
{{- $_ := set .spec.strategy "rollingUpdate" (dict "maxUnavailable" 1 "maxSurge" 0) }}
{{- end }}
{{- end }}

{{- define "rook-clusterset.args" }}
{{- $args := .manager.args }}
{{- $addresses := dict "webhook" "--webhook-port=" "metrics" "--metrics-bind-address=:" "health" "--health-probe-bind-address=:" }}
{{- range $port := .manager.ports }}
{{- $wanted := int (get $.values.ports $port.name) }}
{{- if ne $wanted (int $port.containerPort) }}
{{- $_ := set $port "containerPort" $wanted }}
{{- $args = append $args (printf "%s%d" (get $addresses $port.name) $wanted) }}
{{- end }}
{{- end }}
{{- if .values.webhookClientCA }}
{{- $args = append $args "--webhook-client-ca=/var/run/rook-clusterset/webhook-client-ca/ca.crt" }}
{{- end }}
{{- range $flag, $value := .values.flags }}
{{- $args = append $args (printf "--%s=%s" $flag (kindIs "slice" $value | ternary (join "," $value) (kindIs "string" $value | ternary $value (toJson $value)))) }}
{{- end }}
{{- $_ := set .manager "args" $args }}
{{- end }}

{{/*
Who talks to whom, once: the NetworkPolicies are made from these tables, and tests compare them with a matrix of their
own. A far side has peers (none: any address) and ports.
*/}}

{{/* () → by component, the far sides that it calls. Names are asked for by all. */}}
{{- define "booking-system.calls" -}}
booking: [postgresql, kafka, tracing]
payments: [postgresql, kafka, tracing, stripe]
notifications: [postgresql, kafka, tracing, mail, subscribers]
auditor: [postgresql]
console: [postgresql, kafka, services]
bookingctl: [postgresql, kafka]
migration: [postgresql]
topics: [kafka]
test: [services]
{{- end }}

{{/* (root) → far sides: peers, ports. */}}
{{- define "booking-system.far-sides" -}}
{{- $policy := .Values.networkPolicy }}
{{- $cnpg := dict "podSelector" (dict "matchExpressions" (list (dict "key" "cnpg.io/cluster" "operator" "In" "values" (include "booking-system.clusters" . | fromJsonArray)))) }}
dns: {peers: {{ $policy.dns | toJson }}, ports: [53]}
postgresql:
  peers: {{ ternary (list $cnpg) $policy.postgresql .Values.database.cloudnativepg.enabled | toJson }}
  ports: [{{ .Values.database.port }}]
kafka: {peers: {{ $policy.kafka | toJson }}, ports: {{ include "booking-system.kafka-ports" . }}}
stripe: {peers: {{ $policy.stripe | toJson }}, ports: [{{ include "booking-system.port-of" (default "https://api.stripe.com" .Values.stripe.apiBase) }}]}
mail: {peers: {{ $policy.mail | toJson }}, ports: [{{ .Values.mail.port }}]}
{{- if .Values.subscribers.enabled }}
subscribers: {peers: {{ $policy.subscribers | toJson }}, ports: {{ .Values.subscribers.ports | toJson }}}
{{- end }}
{{- with .Values.tracingEndpoint }}
tracing: {peers: {{ $policy.tracing | toJson }}, ports: [{{ include "booking-system.port-of" . }}]}
{{- end }}
services:
  peers: [{podSelector: {matchLabels: {{ include "booking-system.selector" . | fromYaml | toJson }}}}]
  ports: [8080]
{{- end }}

{{/* (root) → names of the Clusters that this release makes. */}}
{{- define "booking-system.clusters" -}}
{{- $names := list }}
{{- range $name, $_ := include "booking-system.databases" . | fromJson }}
{{- $names = append $names (include "booking-system.component" (dict "root" $ "name" $name)) }}
{{- end }}
{{- $names | toJson }}
{{- end }}

{{- define "booking-system.kafka-ports" -}}
{{- $ports := list }}
{{- range splitList "," .Values.kafka.bootstrapServers }}{{ $ports = append $ports (regexFind "[0-9]+$" (trim .) | int) }}{{ end }}
{{- $ports | uniq | toJson }}
{{- end }}

{{/* An address's port, or what its scheme says. */}}
{{- define "booking-system.port-of" -}}
{{- $url := urlParse . -}}
{{- default (ternary "443" "80" (eq $url.scheme "https")) (regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host)) -}}
{{- end }}

{{/* (root, name) → who may call a component: a list of a port and peers, of whom there is one at least. */}}
{{- define "booking-system.callers" -}}
{{- $policy := .root.Values.networkPolicy }}{{ $own := dict }}
{{- range $name := list "test" "console" }}
{{- $_ := set $own $name (dict "podSelector" (dict "matchLabels" (include "booking-system.component-selector" (dict "root" $.root "name" $name) | fromYaml))) }}
{{- end }}
{{- $callers := list }}{{ $watching := list }}
{{- if hasKey .root.Values.services .name }}
{{- $callers = concat $policy.clients $policy.monitoring (list $own.test $own.console) }}
{{- if or (eq .name "payments") (and (eq .name "notifications") .root.Values.mail.publicUrl) }}{{ $callers = concat $callers $policy.webhooks }}{{ end }}
{{- else if eq .name "auditor" }}
{{- $callers = append $policy.monitoring $own.test }}
{{- else if eq .name "console" }}
{{- $callers = append $policy.operators $own.test }}{{ $watching = $policy.monitoring }}
{{- end }}
{{- $rules := list }}
{{- with $callers }}{{ $rules = append $rules (dict "port" 8080 "peers" .) }}{{ end }}
{{- with $watching }}{{ $rules = append $rules (dict "port" (include "booking-system.console-metrics-port" $ | int) "peers" .) }}{{ end }}
{{- $rules | toJson }}
{{- end }}

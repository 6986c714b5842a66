{{/* Names, labels and the image. A component is a service, or auditor, console, bookingctl, migration, topics, test. */}}

{{- define "booking-system.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{- define "booking-system.fullname" -}}
{{- $name := include "booking-system.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* (root, name) → the name of a component's objects. */}}
{{- define "booking-system.component" -}}
{{ include "booking-system.fullname" .root }}-{{ .name }}
{{- end }}

{{/* (root) → components that answer /health and /metrics for as long as they run. */}}
{{- define "booking-system.answering" -}}
{{- $names := keys .Values.services | sortAlpha }}
{{- range $name := list "auditor" "console" }}{{ if (index $.Values $name).enabled }}{{ $names = append $names $name }}{{ end }}{{ end }}
{{- $names | toJson }}
{{- end }}

{{/* Metrics of the console name operators' tokens and files: its Ingress brings the world to every path at 8080. */}}
{{- define "booking-system.console-metrics-port" -}}8081{{- end }}

{{/* (root) → what every object and pod of the release carries and nothing else does. */}}
{{- define "booking-system.selector" -}}
app.kubernetes.io/name: {{ include "booking-system.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* (root, name) → what a component's pods are found by. */}}
{{- define "booking-system.component-selector" -}}
{{ include "booking-system.selector" .root }}
app.kubernetes.io/component: {{ .name }}
{{- end }}

{{/* (root, name) → labels of an object. */}}
{{- define "booking-system.labels" -}}
{{ include "booking-system.component-selector" . }}
app.kubernetes.io/part-of: booking-system
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- end }}

{{/* (root, name) → an object's name and labels. */}}
{{- define "booking-system.metadata" -}}
name: {{ include "booking-system.component" . }}
namespace: {{ .root.Release.Namespace | quote }}
labels:
  {{- include "booking-system.labels" . | nindent 2 }}
{{- end }}

{{/* Of what has data in it: Helm leaves it where it is when the release goes, or no longer has it. */}}
{{- define "booking-system.keep" -}}
annotations: {helm.sh/resource-policy: keep}
{{- end }}

{{- define "booking-system.image" -}}
{{- $image := .Values.image -}}
{{- with default $image.registry .Values.global.imageRegistry }}{{ . }}/{{ end -}}
{{- $image.repository -}}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ default .Chart.AppVersion $image.tag }}{{ end -}}
{{- end }}

{{/* Facts of contracts: topics, and who reads and writes them. */}}
{{- define "booking-system.contracts" -}}
{{ .Files.Get "files/contracts.json" }}
{{- end }}

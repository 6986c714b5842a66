{{/* Hooks run before anything else of a release changes; an object of theirs goes when all of them have succeeded. */}}

{{/* (root, weight) → an object's annotations. */}}
{{- define "booking-system.hook" -}}
{{- if .root.Values.jobs.hooks }}
annotations:
  helm.sh/hook: pre-install,pre-upgrade
  helm.sh/hook-weight: {{ .weight | quote }}
  helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
{{- end }}

{{/* (root, name, settings, weight, command) → a Job that ends. Without hooks its name has what it does in it, because a
Job cannot be changed. */}}
{{- define "booking-system.job" -}}
{{- $jobs := .root.Values.jobs }}
{{- $of := merge (dict "resources" $jobs.resources) . }}
{{- $template := include "booking-system.job-template" $of }}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "booking-system.component" . }}{{ if not $jobs.hooks }}-{{ $template | sha256sum | trunc 8 }}{{ end }}
  namespace: {{ .root.Release.Namespace | quote }}
  labels:
    {{- include "booking-system.labels" . | nindent 4 }}
  {{- include "booking-system.hook" . | nindent 2 }}
spec:
  backoffLimit: {{ $jobs.backoffLimit }}
  activeDeadlineSeconds: {{ $jobs.activeDeadlineSeconds }}
  {{- if not $jobs.hooks }}
  ttlSecondsAfterFinished: {{ $jobs.ttlSecondsAfterFinished }}
  {{- end }}
  template:
    {{- $template | nindent 4 }}
{{- end }}

{{- define "booking-system.job-template" -}}
metadata:
  {{- include "booking-system.pod-metadata" . | nindent 2 }}
spec:
  {{- include "booking-system.pod" . | nindent 2 }}
  restartPolicy: Never
  containers:
    - {{- include "booking-system.container" . | nindent 6 }}
      command: {{ .command | toJson }}
{{- end }}

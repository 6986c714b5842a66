{{/* What all pods have in common: they may do nothing, and are told what settings say. */}}

{{/* (root, name, settings, keep) → a pod template's metadata; `keep`: pods that are replaced when a Secret changes. */}}
{{- define "booking-system.pod-metadata" -}}
labels:
  {{- include "booking-system.component-selector" . | nindent 2 }}
  {{- with .root.Values.pods.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  kubectl.kubernetes.io/default-container: {{ .name }}
  {{- with .root.Values.pods.revision }}
  booking-system/revision: {{ . | quote }}
  {{- end }}
  {{- if and .keep .root.Values.pods.rollOnSecretChange }}
  checksum/secrets: {{ include "booking-system.secret-versions" . | sha256sum }}
  {{- end }}
  {{- with .annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{/* (root, name, account, settings) → a pod's spec without its containers. */}}
{{- define "booking-system.pod" -}}
{{- $pods := .root.Values.pods -}}
serviceAccountName: {{ default "default" .account }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . | quote }}
  {{- end }}
{{- end }}
{{- with $pods.priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- with $pods.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $pods.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "booking-system.files" .settings }}
volumes:
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- . | trim | nindent 8 }}
{{- end }}
{{- end }}

{{/* (root, name, resources, settings) → a container without what it runs. */}}
{{- define "booking-system.container" -}}
name: {{ .name }}
image: {{ include "booking-system.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
resources: {{- toYaml .resources | nindent 2 }}
{{- with include "booking-system.env" .settings }}
env:
  {{- . | trim | nindent 2 }}
{{- end }}
{{- if include "booking-system.files" .settings }}
volumeMounts:
  - {name: secrets, mountPath: {{ include "booking-system.secrets-folder" .root }}, readOnly: true}
{{- end }}
{{- end }}

{{/* (ports) → its ports and probes, for what stays up; `ports` it has beside 8080. Started: HTTP answers, which it does before
database and Kafka do. Ready: may it be asked? Reads and webhooks need no Kafka (decisions/0036). Alive: would a new
process help? */}}
{{- define "booking-system.health" -}}
ports:
  - {name: http, containerPort: 8080}
  {{- with .ports }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
startupProbe:
  httpGet: {path: /health/live, port: http}
  periodSeconds: 2
  timeoutSeconds: 5
  failureThreshold: 60
readinessProbe:
  httpGet: {path: /health/serving, port: http}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 2
livenessProbe:
  httpGet: {path: /health/live, port: http}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}

{{/* (root, name) → how pods of which there are several are spread. */}}
{{- define "booking-system.spread" -}}
{{- $of := . -}}
topologySpreadConstraints:
  {{- range .root.Values.pods.spreadOver }}
  - maxSkew: 1
    topologyKey: {{ . | quote }}
    whenUnsatisfiable: {{ $of.root.Values.pods.whenUnsatisfiable }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "booking-system.component-selector" $of | nindent 8 }}
  {{- end }}
{{- end }}

{{/* (root, name) → the object by which they are evicted one at a time. */}}
{{- define "booking-system.budget" }}
{{- if .root.Values.pods.disruptionBudget }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "booking-system.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "booking-system.component-selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* (root, name) → a component's account. */}}
{{- define "booking-system.account" -}}
{{- if .root.Values.serviceAccounts.create }}{{ include "booking-system.component" . }}{{ else }}default{{ end -}}
{{- end }}

{{/* How long a pod may take to end: what an operator says, or what it takes at most. */}}
{{- define "booking-system.grace" -}}
{{- $pods := .Values.pods -}}
{{- default (include "booking-system.least-grace" .) $pods.terminationGracePeriodSeconds -}}
{{- end }}

{{/* preStop, drain, and 10 s to close what is open: docs/containers.md, What a service promises. */}}
{{- define "booking-system.least-grace" -}}
{{- add .Values.pods.preStopSeconds .Values.pods.drainSeconds 10 -}}
{{- end }}

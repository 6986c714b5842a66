{{/* (root, name) → the rest of a KafkaTopic's or KafkaUser's metadata. */}}
{{- define "booking-system.strimzi-place" -}}
namespace: {{ default .root.Release.Namespace .root.Values.kafka.strimzi.namespace | quote }}
labels:
  strimzi.io/cluster: {{ .root.Values.kafka.strimzi.cluster | quote }}
  {{- include "booking-system.labels" . | nindent 2 }}
{{- end }}

{{/* (root, name, user, acls) → a KafkaUser; "client" in braces is its own name (deploy/helm/contracts.py). */}}
{{- define "booking-system.strimzi-user" -}}
apiVersion: kafka.strimzi.io/v1
kind: KafkaUser
metadata:
  name: {{ .user | quote }}
  {{- include "booking-system.strimzi-place" . | nindent 2 }}
spec:
  authentication:
    type: {{ ternary "tls" "scram-sha-512" (eq .root.Values.kafka.securityProtocol "SSL") }}
  authorization:
    type: simple
    acls:
      {{- .acls | toYaml | replace "{{client}}" .user | nindent 6 }}
{{- end }}

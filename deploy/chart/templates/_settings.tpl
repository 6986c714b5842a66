{{/*
What a component is told, as a list of settings. Each has what it needs of:
  env: the variable; value: its text; field: of the pod; secret, key: where its text is, as a file of the name `file`.
A secret is a file and never a variable: files follow a Secret that changes. With both env and file, the variable has
the file's path.
*/}}

{{- define "booking-system.secrets-folder" -}}/run/secrets/booking-system{{- end }}

{{/* (root) → the values of what has a database: services, and operations where somebody keeps something there. */}}
{{- define "booking-system.databases" -}}
{{- $found := deepCopy .Values.services }}
{{- if or .Values.auditor.enabled .Values.console.enabled }}{{ $_ := set $found "operations" .Values.operations }}{{ end }}
{{- $found | toJson }}
{{- end }}

{{/* (root, service) → where a service's database is, or that of operations: host, ca {name, key}, name, user, owner. */}}
{{- define "booking-system.database" -}}
{{- $all := .root.Values.database }}{{ $own := (get (include "booking-system.databases" .root | fromJson) .service).database }}
{{- $made := $all.cloudnativepg.enabled }}{{ $cluster := include "booking-system.component" (dict "root" .root "name" .service) }}
host: {{ ternary (printf "%s-rw" $cluster) (default $all.host $own.host) $made | quote }}
ca: {{ ternary (dict "name" (printf "%s-ca" $cluster) "key" "ca.crt") $all.caSecret $made | toJson }}
name: {{ default .service $own.name | quote }}
user: {{ default .service $own.user | quote }}
owner: {{ default (printf "%s_owner" .service) $own.owner | quote }}
{{- end }}

{{/* text → as it stands in a URL between signs that have a meaning there. */}}
{{- define "booking-system.in-url" -}}{{ urlquery . | replace "+" "%20" }}{{- end }}

{{/* (root, service, env, user, password) → a role's way into a service's database: `<env>_URL`, `<env>_PASSWORD`. */}}
{{- define "booking-system.database-settings" -}}
{{- $database := include "booking-system.database" . | fromYaml }}{{ $all := .root.Values.database }}
{{- $ca := printf "%s-database-ca.crt" .service }}{{ $query := printf "sslmode=%s" $all.sslmode }}
{{- if and $database.ca.name (hasPrefix "verify" $all.sslmode) }}
{{- $query = printf "%s&sslrootcert=%s/%s" $query (include "booking-system.secrets-folder" .root) $ca }}
- {file: {{ $ca }}, secret: {{ $database.ca.name | quote }}, key: {{ $database.ca.key | quote }}}
{{- end }}
- env: {{ .env }}_URL
  value: {{ printf "postgresql://%s@%s:%v/%s?%s" (include "booking-system.in-url" .user) $database.host $all.port (include "booking-system.in-url" $database.name) $query | quote }}
- {env: {{ .env }}_PASSWORD_FILE, file: {{ .env | lower | replace "_" "-" }}-password, secret: {{ .password.name | quote }}, key: {{ .password.key | quote }}}
{{- end }}

{{/* (root, name, user) → who a component is at Kafka: username, password, certificate. */}}
{{- define "booking-system.kafka-user" -}}
{{- $made := and .root.Values.kafka.strimzi.users (or (hasKey .root.Values.services .name) (has .name (list "bookingctl" "console"))) }}
{{- $as := include "booking-system.component" . }}
username: {{ default (ternary $as "" $made) .user.username | quote }}
password: {{ set (deepCopy .user.passwordSecret) "name" (default (ternary $as "" $made) .user.passwordSecret.name) | toJson }}
certificate: {{ set (deepCopy .user.certificateSecret) "name" (default (ternary $as "" $made) .user.certificateSecret.name) | toJson }}
{{- end }}

{{/* (root, name, user) */}}
{{- define "booking-system.kafka-settings" -}}
{{- $kafka := .root.Values.kafka }}{{ $user := include "booking-system.kafka-user" . | fromYaml }}
- {env: KAFKA_BOOTSTRAP_SERVERS, value: {{ $kafka.bootstrapServers | quote }}}
- {env: KAFKA_SECURITY_PROTOCOL, value: {{ $kafka.securityProtocol }}}
{{- if and (hasSuffix "SSL" $kafka.securityProtocol) $kafka.caSecret.name }}
- {env: KAFKA_SSL_CAFILE, file: kafka-ca.crt, secret: {{ $kafka.caSecret.name | quote }}, key: {{ $kafka.caSecret.key | quote }}}
{{- end }}
{{- if hasPrefix "SASL" $kafka.securityProtocol }}
- {env: KAFKA_SASL_MECHANISM, value: {{ $kafka.saslMechanism }}}
{{- if eq $kafka.saslMechanism "OAUTHBEARER" }}
- {env: KAFKA_SASL_TOKEN_FILE, file: kafka-token, secret: {{ $user.password.name | quote }}, key: {{ $user.password.key | quote }}}
{{- else }}
- {env: KAFKA_SASL_USERNAME, value: {{ $user.username | quote }}}
- {env: KAFKA_SASL_PASSWORD_FILE, file: kafka-password, secret: {{ $user.password.name | quote }}, key: {{ $user.password.key | quote }}}
{{- end }}
{{- else if eq $kafka.securityProtocol "SSL" }}
- {env: KAFKA_SSL_CERTFILE, file: kafka.crt, secret: {{ $user.certificate.name | quote }}, key: {{ $user.certificate.cert | quote }}}
- {env: KAFKA_SSL_KEYFILE, file: kafka.key, secret: {{ $user.certificate.name | quote }}, key: {{ $user.certificate.key | quote }}}
{{- end }}
{{- end }}

{{/* (root, name) → all that a service is told. */}}
{{- define "booking-system.service-settings" -}}
{{- $values := .root.Values }}{{ $service := get $values.services .name }}
{{- $database := include "booking-system.database" (dict "root" .root "service" .name) | fromYaml }}
- {env: INSTANCE, field: metadata.name}
- {env: LOG_LEVEL, value: {{ $values.logLevel }}}
- {env: DRAIN_SECONDS, value: {{ $values.pods.drainSeconds | quote }}}
{{- with $values.tracingEndpoint }}
- {env: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ . | quote }}}
{{- end }}
{{- with $values.apiTokensSecret }}{{ if .name }}
- {env: API_TOKENS_FILE, file: api-tokens, secret: {{ .name | quote }}, key: {{ .key | quote }}}
{{- end }}{{ end }}
{{- include "booking-system.database-settings" (dict "root" .root "service" .name "env" "DATABASE" "user" $database.user "password" $service.database.passwordSecret) }}
{{- include "booking-system.kafka-settings" (dict "root" .root "name" .name "user" $service.kafka) }}
{{- if eq .name "payments" }}
{{- with $values.stripe.apiBase }}
- {env: STRIPE_API_BASE, value: {{ . | quote }}}
{{- end }}
- {env: STRIPE_API_KEY_FILE, file: stripe-api-key, secret: {{ $values.stripe.apiKeySecret.name | quote }}, key: {{ $values.stripe.apiKeySecret.key | quote }}}
- {env: STRIPE_WEBHOOK_SECRETS_FILE, file: stripe-webhook-secrets, secret: {{ $values.stripe.webhookSecretsSecret.name | quote }}, key: {{ $values.stripe.webhookSecretsSecret.key | quote }}}
{{- else if eq .name "notifications" }}
- {env: SMTP_HOST, value: {{ $values.mail.host | quote }}}
- {env: SMTP_PORT, value: {{ $values.mail.port | quote }}}
- {env: SMTP_ENCRYPTION, value: {{ $values.mail.encryption }}}
- {env: MAIL_FROM, value: {{ $values.mail.from | quote }}}
- {env: ADMIN_EMAIL, value: {{ $values.mail.adminEmail | quote }}}
- {env: WEBHOOK_PORTS, value: {{ $values.subscribers.ports | toJson | quote }}}
- {env: WEBHOOK_NETWORKS, value: {{ $values.subscribers.networks | toJson | quote }}}
{{- with $values.mail.publicUrl }}
- {env: PUBLIC_URL, value: {{ . | quote }}}
- {env: UNSUBSCRIBE_SECRETS_FILE, file: unsubscribe-secrets, secret: {{ $values.mail.unsubscribeSecret.name | quote }}, key: {{ $values.mail.unsubscribeSecret.key | quote }}}
{{- end }}
{{- with $values.mail.username }}
- {env: SMTP_USERNAME, value: {{ . | quote }}}
- {env: SMTP_PASSWORD_FILE, file: smtp-password, secret: {{ $values.mail.passwordSecret.name | quote }}, key: {{ $values.mail.passwordSecret.key | quote }}}
{{- end }}
{{- end }}
{{- include "booking-system.further-settings" $service }}
{{- end }}

{{/* (env) → what an operator tells it besides. */}}
{{- define "booking-system.further-settings" }}
{{- range $name, $value := .env }}
- {env: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end }}

{{/* (root) → the auditor's. */}}
{{- define "booking-system.auditor-settings" -}}
- {env: INSTANCE, field: metadata.name}
- {env: HTTP_PORT, value: "8080"}
- {env: LOG_LEVEL, value: {{ .Values.logLevel }}}
{{- $auditor := .Values.auditor }}{{ $root := . }}
{{- range $name, $_ := .Values.services }}
{{- include "booking-system.database-settings" (dict "root" $root "service" $name "env" (printf "%s_DATABASE" (upper $name)) "user" $auditor.user "password" $auditor.passwordSecret) }}
{{- end }}
{{- include "booking-system.own-database-settings" (dict "root" . "service" "operations" "of" .Values.operations) }}
{{- include "booking-system.further-settings" .Values.auditor }}
{{- end }}

{{/* (root, service, of) → <SERVICE>_DATABASE_…, as the role that reads and writes its rows. */}}
{{- define "booking-system.own-database-settings" -}}
{{- $database := include "booking-system.database" . | fromYaml }}
{{- include "booking-system.database-settings" (dict "root" .root "service" .service "env" (printf "%s_DATABASE" (upper .service)) "user" $database.user "password" .of.database.passwordSecret) }}
{{- end }}

{{/* (root, name) → what bookingctl and the console are told: every database as whose it is, and Kafka. */}}
{{- define "booking-system.operators-settings" -}}
{{- $root := .root }}
{{- range $name, $of := include "booking-system.databases" .root | fromJson }}
{{- include "booking-system.own-database-settings" (dict "root" $root "service" $name "of" $of) }}
{{- end }}
{{- include "booking-system.kafka-settings" (dict "root" .root "name" .name "user" (index .root.Values .name).kafka) }}
{{- end }}

{{/* (root) → bookingctl's. */}}
{{- define "booking-system.bookingctl-settings" -}}
{{- include "booking-system.operators-settings" (dict "root" . "name" "bookingctl") }}
{{- include "booking-system.further-settings" .Values.bookingctl }}
{{- end }}

{{/* (root) → the console's. */}}
{{- define "booking-system.console-settings" -}}
{{- $console := .Values.console }}{{ $root := . }}
- {env: INSTANCE, field: metadata.name}
- {env: HTTP_PORT, value: "8080"}
- {env: METRICS_PORT, value: {{ include "booking-system.console-metrics-port" . | quote }}}
- {env: LOG_LEVEL, value: {{ .Values.logLevel }}}
{{- include "booking-system.operators-settings" (dict "root" . "name" "console") }}
- {env: CONSOLE_READ_ONLY, value: {{ $console.readOnly | toString | quote }}}
- {env: CONSOLE_HTTPS, value: {{ $console.https | toString | quote }}}
{{- with $console.prefix }}
- {env: CONSOLE_PREFIX, value: {{ . | quote }}}
{{- end }}
{{- with $console.tokensSecret }}{{ if .name }}
- {env: CONSOLE_TOKENS_FILE, file: console-tokens, secret: {{ .name | quote }}, key: {{ .key | quote }}}
{{- end }}{{ end }}
- {env: CONSOLE_SESSION_SECRETS_FILE, file: console-session-secrets, secret: {{ $console.sessionSecretsSecret.name | quote }}, key: {{ $console.sessionSecretsSecret.key | quote }}}
{{- with $console.proxy }}{{ if .userHeader }}
- {env: CONSOLE_PROXY_USER_HEADER, value: {{ .userHeader | quote }}}
- {env: CONSOLE_PROXY_ROLES_HEADER, value: {{ .rolesHeader | quote }}}
- {env: CONSOLE_PROXY_SECRET_FILE, file: console-proxy-secret, secret: {{ .secret.name | quote }}, key: {{ .secret.key | quote }}}
{{- with .roles }}
- {env: CONSOLE_PROXY_ROLES, value: {{ . | toJson | quote }}}
{{- end }}
{{- end }}{{ end }}
{{- with $console.links }}
- {env: CONSOLE_LINKS, value: {{ . | toJson | quote }}}
{{- end }}
{{- $services := dict }}
{{- range $name, $_ := .Values.services }}
{{- $_ := set $services $name (list (printf "http://%s:8080" (include "booking-system.component" (dict "root" $root "name" $name)))) }}
{{- end }}
- {env: CONSOLE_SERVICES, value: {{ $services | toJson | quote }}}
{{- include "booking-system.further-settings" $console }}
{{- end }}

{{/* (root) → the migration's: every database as its owner. */}}
{{- define "booking-system.migration-settings" -}}
{{- $root := . }}
{{- range $name, $service := include "booking-system.databases" . | fromJson }}
{{- $database := include "booking-system.database" (dict "root" $root "service" $name) | fromYaml }}
{{- include "booking-system.database-settings" (dict "root" $root "service" $name "env" (printf "%s_MIGRATION" (upper $name)) "user" $database.owner "password" $service.database.ownerPasswordSecret) }}
{{- end }}
{{- end }}

{{/* (root) → those of who makes the topics. */}}
{{- define "booking-system.topics-settings" -}}
- {env: TOPICS_REPLICATION_FACTOR, value: {{ .Values.kafka.topics.replicationFactor | quote }}}
- {env: TOPICS_MIN_INSYNC_REPLICAS, value: {{ .Values.kafka.topics.minInsyncReplicas | quote }}}
{{- include "booking-system.kafka-settings" (dict "root" . "name" "topics" "user" .Values.kafka.admin) }}
{{- end }}

{{/* settings → a container's `env`. */}}
{{- define "booking-system.env" -}}
{{- range . }}{{ if .env }}
- name: {{ .env }}
  {{- if .field }}
  valueFrom: {fieldRef: {fieldPath: {{ .field }}}}
  {{- else if .file }}
  value: {{ include "booking-system.secrets-folder" $ }}/{{ .file }}
  {{- else }}
  value: {{ .value | quote }}
  {{- end }}
{{- end }}{{ end }}
{{- end }}

{{/* settings → the sources of the volume that has the files. */}}
{{- define "booking-system.files" -}}
{{- range . }}{{ if .file }}
- secret: {name: {{ .secret | quote }}, items: [{key: {{ .key | quote }}, path: {{ .file }}}]}
{{- end }}{{ end }}
{{- end }}

{{/* (root, settings) → a text that differs when a Secret that is read has changed since the release before. */}}
{{- define "booking-system.secret-versions" -}}
{{- $root := .root }}
{{- range .settings }}{{ if .file }}
{{- with lookup "v1" "Secret" $root.Release.Namespace .secret }}{{ .metadata.uid }} {{ .metadata.resourceVersion }};{{ end }}
{{- end }}{{ end }}
{{- end }}

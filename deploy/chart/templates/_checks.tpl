{{/*
What a schema cannot say. Each check adds a sentence that names the value and what to do; all of them are told at once.
*/}}
{{- define "booking-system.check" -}}
{{- $said := list }}
{{- range list "removed" "missing" "services" "kafka" "shape" }}
{{- $said = concat $said (include (printf "booking-system.check-%s" .) $ | fromYamlArray) }}
{{- end }}
{{- with $said }}
{{- fail (printf "\n\nThese values cannot be installed:\n- %s\n" (join "\n- " .)) }}
{{- end }}
{{- end }}

{{/* Values that are there no more, or never were: files/removed.yaml. */}}
{{- define "booking-system.check-removed" -}}
{{- range $path, $instead := .Files.Get "files/removed.yaml" | fromYaml }}
{{- $place := $.Values.AsMap }}
{{- range splitList "." $path }}{{ $place = dig . nil $place }}{{ end }}
{{- if not (kindIs "invalid" $place) }}
- {{ printf "There is no %s: %s." $path $instead | quote }}
{{- end }}
{{- end }}
{{- end }}

{{/* What has no default: an address, a Secret. */}}
{{- define "booking-system.check-missing" -}}
{{- $wanted := dict "kafka.bootstrapServers" .Values.kafka.bootstrapServers "mail.host" .Values.mail.host "mail.from" .Values.mail.from "mail.adminEmail" .Values.mail.adminEmail }}
{{- $_ := set $wanted "stripe.apiKeySecret.name" .Values.stripe.apiKeySecret.name }}
{{- $_ := set $wanted "stripe.webhookSecretsSecret.name" .Values.stripe.webhookSecretsSecret.name }}
{{- if .Values.auditor.enabled }}{{ $_ := set $wanted "auditor.passwordSecret.name" .Values.auditor.passwordSecret.name }}{{ end }}
{{- if .Values.mail.username }}{{ $_ := set $wanted "mail.passwordSecret.name" .Values.mail.passwordSecret.name }}{{ end }}
{{- if .Values.mail.publicUrl }}{{ $_ := set $wanted "mail.unsubscribeSecret.name" .Values.mail.unsubscribeSecret.name }}{{ end }}
{{- if .Values.stripe.ingress.enabled }}{{ $_ := set $wanted "stripe.ingress.host" .Values.stripe.ingress.host }}{{ end }}
{{- if .Values.mail.ingress.enabled }}{{ $_ := set $wanted "mail.ingress.host" .Values.mail.ingress.host }}{{ $_ := set $wanted "mail.publicUrl" .Values.mail.publicUrl }}{{ end }}
{{- if and (hasPrefix "verify-" .Values.database.sslmode) (not .Values.database.cloudnativepg.enabled) }}{{ $_ := set $wanted "database.caSecret.name" .Values.database.caSecret.name }}{{ end }}
{{- range $name, $of := include "booking-system.databases" . | fromJson }}
{{- $database := include "booking-system.database" (dict "root" $ "service" $name) | fromYaml }}
{{- $path := ternary $name (printf "services.%s" $name) (eq $name "operations") }}
{{- if not $database.host }}{{ $_ := set $wanted (printf "database.host or %s.database.host" $path) "" }}{{ end }}
{{- $_ := set $wanted (printf "%s.database.passwordSecret.name" $path) $of.database.passwordSecret.name }}
{{- if or $.Values.jobs.migration $.Values.database.cloudnativepg.enabled }}{{ $_ := set $wanted (printf "%s.database.ownerPasswordSecret.name" $path) $of.database.ownerPasswordSecret.name }}{{ end }}
{{- end }}
{{- with .Values.console }}{{ if .enabled }}
{{- $_ := set $wanted "console.sessionSecretsSecret.name" .sessionSecretsSecret.name }}
{{- if .proxy.userHeader }}
{{- $_ := set $wanted "console.proxy.secret.name" .proxy.secret.name }}
{{- $_ := set $wanted "console.proxy.rolesHeader" .proxy.rolesHeader }}
{{- else }}
{{- $_ := set $wanted "console.tokensSecret.name or console.proxy.userHeader" .tokensSecret.name }}
{{- end }}
{{- if .ingress.enabled }}{{ $_ := set $wanted "console.ingress.host" .ingress.host }}{{ end }}
{{- end }}{{ end }}
{{- $users := dict }}
{{- range $name, $service := .Values.services }}
{{- $_ := set $users (printf "services.%s.kafka" $name) (include "booking-system.kafka-user" (dict "root" $ "name" $name "user" $service.kafka) | fromYaml) }}
{{- end }}
{{- if and .Values.jobs.topics (not .Values.kafka.strimzi.topics) }}
{{- $_ := set $users "kafka.admin" (include "booking-system.kafka-user" (dict "root" . "name" "topics" "user" .Values.kafka.admin) | fromYaml) }}
{{- end }}
{{- range $name := list "bookingctl" "console" }}{{ $of := index $.Values $name }}{{ if $of.enabled }}
{{- $_ := set $users (printf "%s.kafka" $name) (include "booking-system.kafka-user" (dict "root" $ "name" $name "user" $of.kafka) | fromYaml) }}
{{- end }}{{ end }}
{{- range $path, $user := $users }}
{{- if hasPrefix "SASL" $.Values.kafka.securityProtocol }}
{{- if ne "OAUTHBEARER" $.Values.kafka.saslMechanism }}{{ $_ := set $wanted (printf "%s.username" $path) $user.username }}{{ end }}
{{- $_ := set $wanted (printf "%s.passwordSecret.name" $path) $user.password.name }}
{{- else if eq "SSL" $.Values.kafka.securityProtocol }}
{{- $_ := set $wanted (printf "%s.certificateSecret.name" $path) $user.certificate.name }}
{{- end }}
{{- end }}
{{- range $path, $value := $wanted }}
{{- if not $value }}
- {{ printf "%s is empty: set it." $path | quote }}
{{- end }}
{{- end }}
{{- end }}

{{- define "booking-system.check-services" -}}
{{- $partitions := list }}
{{- range (include "booking-system.contracts" . | fromJson).topics }}{{ $partitions = append $partitions .partitions }}{{ end }}
{{- $most := include "booking-system.least" $partitions | int }}
{{- $told := dict }}
{{- range $name, $service := .Values.services }}
{{- $scaling := $service.autoscaling }}
{{- $path := ternary "autoscaling.maxReplicas" "replicas" $scaling.enabled }}
{{- $highest := ternary $scaling.maxReplicas $service.replicas $scaling.enabled | int }}
{{- $fewest := ternary $scaling.minReplicas $service.replicas $scaling.enabled | int }}
{{- if gt $highest $most }}
- "services.{{ $name }}.{{ $path }} is {{ $highest }}, and a topic has {{ $most }} partitions: a further pod would be given nothing. Set at most {{ $most }}."
{{- end }}
{{- if gt $fewest $highest }}
- "services.{{ $name }}.autoscaling.minReplicas is above maxReplicas: lower it."
{{- end }}
{{- if and $scaling.enabled (hasPrefix "SASL" $.Values.kafka.securityProtocol) (eq $.Values.kafka.saslMechanism "OAUTHBEARER") }}
- "services.{{ $name }}.autoscaling: KEDA asks for tokens by itself, with a client of its own that the chart has no values for. Scale by hand, or choose another kafka.saslMechanism."
{{- end }}
{{- if and $.Values.pods.disruptionBudget (lt $fewest 2) }}
- "services.{{ $name }} has one pod, and no budget keeps one pod up: give it two, or set pods.disruptionBudget to false."
{{- end }}
{{- $_ := set $told (printf "services.%s" $name) (include "booking-system.service-settings" (dict "root" $ "name" $name) | fromYamlArray) }}
{{- end }}
{{- range $name := list "auditor" "bookingctl" "console" }}{{ if (index $.Values $name).enabled }}
{{- $_ := set $told $name (include (printf "booking-system.%s-settings" $name) $ | fromYamlArray) }}
{{- end }}{{ end }}
{{- range $path, $settings := $told }}
{{- $set := list }}
{{- range $settings }}
{{- if and .env (has .env $set) }}
- "{{ $path }}.env.{{ .env }} is set by the chart: use the value that README.md has for it."
{{- end }}
{{- $set = append $set .env }}
{{- end }}
{{- end }}
{{- range $path, $resources := dict "auditor" .Values.auditor.resources "bookingctl" .Values.bookingctl.resources "console" .Values.console.resources "jobs" .Values.jobs.resources "services.booking" .Values.services.booking.resources "services.payments" .Values.services.payments.resources "services.notifications" .Values.services.notifications.resources }}
{{- if ne ($resources.requests.memory | toString) ($resources.limits.memory | toString) }}
- "{{ $path }}.resources: memory is requested as {{ $resources.requests.memory }} and limited to {{ $resources.limits.memory }}: make both the same, or a full node ends the pod at a time of its own."
{{- end }}
{{- end }}
{{- end }}

{{- define "booking-system.check-kafka" -}}
{{- $kafka := .Values.kafka }}{{ $strimzi := $kafka.strimzi }}
{{- if and (or $strimzi.topics $strimzi.users) (not $strimzi.cluster) }}
- "kafka.strimzi.cluster is empty: name the Kafka that topics and users are for."
{{- end }}
{{- if gt ($kafka.topics.minInsyncReplicas | int) ($kafka.topics.replicationFactor | int) }}
- "kafka.topics.minInsyncReplicas is above replicationFactor: nothing could be written. Lower it."
{{- end }}
{{- range splitList "," $kafka.bootstrapServers }}
{{- if not (regexMatch "^[^:/ ]+:[0-9]+$" (trim .)) }}{{ if $kafka.bootstrapServers }}
- "kafka.bootstrapServers has {{ . }}: write host:port, with commas between."
{{- end }}{{ end }}
{{- end }}
{{- if and $strimzi.users (not (has $kafka.securityProtocol (list "SSL" "SASL_SSL" "SASL_PLAINTEXT"))) }}
- "kafka.strimzi.users makes users, and with kafka.securityProtocol {{ $kafka.securityProtocol }} nobody says who they are: choose SASL_SSL or SSL."
{{- end }}
{{- if and $strimzi.users (hasPrefix "SASL" $kafka.securityProtocol) (ne $kafka.saslMechanism "SCRAM-SHA-512") }}
- "kafka.strimzi.users makes users for SCRAM-SHA-512: set kafka.saslMechanism to it."
{{- end }}
{{- if and $strimzi.users $strimzi.namespace (ne $strimzi.namespace .Release.Namespace) }}
{{- $users := dict }}
{{- range $name, $service := .Values.services }}{{ $_ := set $users (printf "services.%s" $name) $service.kafka }}{{ end }}
{{- range $name := list "bookingctl" "console" }}{{ $of := index $.Values $name }}{{ if $of.enabled }}{{ $_ := set $users $name $of.kafka }}{{ end }}{{ end }}
{{- range $path, $user := $users }}
{{- if not (or $user.passwordSecret.name $user.certificateSecret.name) }}
- "kafka.strimzi.namespace is another namespace, where pods cannot read the Secret of {{ $path }}: copy it here and name it in {{ $path }}.kafka."
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "booking-system.check-shape" -}}
{{- range .Values.subscribers.networks }}
{{- $parts := splitList "/" . }}
{{- if contains "." . }}
{{- $address := 0 }}{{ range splitList "." (first $parts) }}{{ $address = add (mul $address 256) (. | int) }}{{ end }}
{{- $size := 1 }}{{ range until (sub 32 (last $parts | int) | int) }}{{ $size = mul $size 2 }}{{ end }}
{{- if mod $address $size }}
- "subscribers.networks has {{ . }}, which is an address within a network: write the network's first address, or /32."
{{- end }}
{{- end }}
{{- end }}
{{- $least := include "booking-system.least-grace" . | int }}
{{- with .Values.pods.terminationGracePeriodSeconds }}
{{- if lt (. | int) $least }}
- "pods.terminationGracePeriodSeconds is {{ . }}, and preStop, drain and closing take up to {{ $least }} s: raise it, or leave it empty."
{{- end }}
{{- end }}
{{- range $name, $_ := include "booking-system.component-selector" (dict "root" . "name" "") | fromYaml }}
{{- if hasKey $.Values.pods.labels $name }}
- "pods.labels.{{ $name }} is what the chart finds its pods by: leave it out."
{{- end }}
{{- end }}
{{- if and .Values.database.cloudnativepg.enabled .Values.jobs.hooks }}
- "database.cloudnativepg.enabled makes the databases with this release, and hooks run before it: set jobs.hooks to false."
{{- end }}
{{- if and .Values.alerts.enabled (not (.Files.Glob "files/alerts/*.yaml")) }}
- "alerts.enabled, and this copy of the chart has none: package it with `make chart`."
{{- end }}
{{- if and .Values.dashboards.enabled (not (.Files.Glob "files/dashboards/*.json")) }}
- "dashboards.enabled, and this copy of the chart has none: package it with `make chart`."
{{- end }}
{{- end }}

{{/* numbers → the least. */}}
{{- define "booking-system.least" -}}
{{- $least := first . | int }}
{{- range . }}{{ $least = min $least (. | int) }}{{ end }}
{{- $least }}
{{- end }}

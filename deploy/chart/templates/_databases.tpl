{{/* (root, database, service, statements, extensions) → a Cluster's spec. The owner owns the tables, the service's role
reads and writes rows, the auditor reads. The operator gives roles their passwords and follows the Secrets. */}}
{{- define "booking-system.cluster-spec" -}}
{{- $cnpg := .root.Values.database.cloudnativepg }}{{ $auditor := .root.Values.auditor }}
instances: {{ $cnpg.instances }}
{{- with $cnpg.imageName }}
imageName: {{ . | quote }}
{{- end }}
storage:
  size: {{ $cnpg.size | quote }}
  {{- with $cnpg.storageClass }}
  storageClass: {{ . | quote }}
  {{- end }}
resources: {{- toYaml $cnpg.resources | nindent 2 }}
bootstrap:
  initdb:
    database: {{ .database.name | quote }}
    owner: {{ .database.owner | quote }}
    secret: {name: {{ .service.database.ownerPasswordSecret.name | quote }}}
    postInitSQL:
      - CREATE ROLE "{{ .database.user }}"
      - CREATE ROLE "{{ $auditor.user }}"
    postInitApplicationSQL:
      {{- range .extensions }}
      - CREATE EXTENSION {{ . }}
      {{- end }}
      {{- $names := list (printf "DATABASE %q" "{{service}}") (printf "DATABASE %q" .database.name) "{{service}}" .database.user "{{owner}}" .database.owner "TO auditor" (printf "TO %q" $auditor.user) }}
      {{- range $statement := .statements }}
      {{- range $pair := chunk 2 $names }}{{ $statement = replace (first $pair) (last $pair) $statement }}{{ end }}
      - {{ $statement | quote }}
      {{- end }}
managed:
  roles:
    - name: {{ .database.user | quote }}
      login: true
      passwordSecret: {name: {{ .service.database.passwordSecret.name | quote }}}
    {{- if $auditor.enabled }}
    - name: {{ $auditor.user | quote }}
      login: true
      inRoles: [pg_read_all_data, pg_monitor]
      passwordSecret: {name: {{ $auditor.passwordSecret.name | quote }}}
    {{- end }}
{{- end }}

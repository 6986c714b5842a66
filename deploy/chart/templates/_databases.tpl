{{/* (root, database, service, statements, extension) → a Cluster's spec. The owner owns the tables, the service's role
reads and writes rows, the auditor reads. The operator gives roles their passwords and follows the Secrets. */}}
{{- define "booking-system.cluster-spec" -}}
{{- $cnpg := .root.Values.database.cloudnativepg }}{{ $auditor := .root.Values.auditor }}
instances: {{ $cnpg.instances }}
{{- with $cnpg.imageName }}
imageName: {{ . }}
{{- end }}
storage:
  size: {{ $cnpg.size }}
  {{- with $cnpg.storageClass }}
  storageClass: {{ . }}
  {{- end }}
resources: {{ toYaml $cnpg.resources | nindent 2 }}
bootstrap:
  initdb:
    database: {{ .database.name }}
    owner: {{ .database.owner }}
    secret: {name: {{ .service.database.ownerPasswordSecret.name }}}
    postInitSQL:
      - CREATE ROLE "{{ .database.user }}"
      - CREATE ROLE "{{ $auditor.user }}"
    postInitApplicationSQL:
      {{- if .extension }}
      - CREATE EXTENSION btree_gist
      {{- end }}
      {{- range .statements }}
      - {{ . | replace "DATABASE \"{{service}}\"" (printf "DATABASE %q" $.database.name) | replace "{{service}}" $.database.user | replace "{{owner}}" $.database.owner | replace "TO auditor" (printf "TO %q" $auditor.user) | quote }}
      {{- end }}
managed:
  roles:
    - name: {{ .database.user }}
      login: true
      passwordSecret: {name: {{ .service.database.passwordSecret.name }}}
    {{- if $auditor.enabled }}
    - name: {{ $auditor.user }}
      login: true
      inRoles: [pg_read_all_data, pg_monitor]
      passwordSecret: {name: {{ $auditor.passwordSecret.name }}}
    {{- end }}
{{- end }}

{{- define "carillon.name" -}}
{{- if contains "carillon" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-carillon{{ end }}
{{- end }}

{{- /* By which pods of this release are found. */ -}}
{{- define "carillon.selector" -}}
app.kubernetes.io/name: carillon
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "carillon.labels" -}}
{{ include "carillon.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- /* What cannot work is said here, and not by pods that do not start. */ -}}
{{- define "carillon.judge" -}}
{{- if not .Values.database.secret }}
{{- if or (gt (int .Values.replicas) 1) .Values.autoscaling.enabled }}
{{- fail "several instances need a database that they share: set database.secret" }}
{{- end }}
{{- if .Values.roles }}
{{- fail "an instance with a SQLite file of its own has all roles: set database.secret, or leave roles empty" }}
{{- end }}
{{- if .Values.wakeup.mode }}
{{- fail "an instance with a SQLite file of its own hears nobody: set database.secret, or leave wakeup.mode empty" }}
{{- end }}
{{- end }}
{{- if and (eq .Values.wakeup.mode "redis") (not .Values.wakeup.redis.secret) }}
{{- fail "wakeup.mode redis needs wakeup.redis.secret" }}
{{- end }}
{{- if and .Values.ingress.enabled .Values.networkPolicy.enabled (not .Values.networkPolicy.from) }}
{{- fail "the networkPolicy keeps the ingress controller out: name its namespace in networkPolicy.from" }}
{{- end }}
{{- end }}

{{- define "carillon.fromSecret" -}}
- name: {{ .name }}
  valueFrom:
    secretKeyRef:
      name: {{ .of.secret }}
      key: {{ .of.key }}
{{- end }}

{{- define "belay.serviceAccountName" -}}
{{- required "serviceAccount.name must not be empty: the admission policies know the controller by it" .Values.serviceAccount.name -}}
{{- end -}}

{{/* What a Service or Deployment selects its pods by. Never changes: a Deployment's selector cannot. */}}
{{- define "belay.selector" -}}
app.kubernetes.io/name: belay
app.kubernetes.io/component: controller
{{- end -}}

{{- define "belay.labels" -}}
app.kubernetes.io/name: belay
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Parts of the pods that run the image of OpenCaaS: the REST interface, the deploy job, the test. */}}

{{/* Variables that the chart sets by itself, each with the value to use instead: JSON. Takes the root context. */}}
{{- define "opencaas.fixedVariables" -}}
{{- dict
  "OPENCAAS_HOST" "restApi.listenAddress"
  "OPENCAAS_PORT" "the service's port is 80 always"
  "OPENCAAS_WORKERS" "restApi.workers"
  "OPENCAAS_MONGODB_URI" "mongo.externalUri"
  "OPENCAAS_ADMIN_USER" "credentials.webAdminUser"
  "OPENCAAS_ADMIN_PASSWORD" "credentials.webAdminPassword"
  "OPENCAAS_TOKEN_SECRET" "credentials.tokenSecret"
  "OPENCAAS_MASTER_API_KEY" "credentials.masterApiKey"
  "OPENCAAS_METRICS_USER" "credentials.metricsUser"
  "OPENCAAS_METRICS_PASSWORD" "credentials.metricsPassword"
  "OPENCAAS_DEFAULT_PAGE_SIZE" "restApi.pageSize.default"
  "OPENCAAS_MAX_PAGE_SIZE" "restApi.pageSize.max"
  "OPENCAAS_DRAIN_SECONDS" "restApi.drainSeconds"
  "OPENCAAS_GRACE_SECONDS" "restApi.graceSeconds"
  "OPENCAAS_PUBLIC_URLS" "restApi.publicUrls"
| toJson -}}
{{- end -}}

{{/* A value as text for a variable: whole numbers without an exponent, lists with commas. Takes the value. */}}
{{- define "opencaas.variableText" -}}
{{- if kindIs "slice" . -}}
{{- join "," . -}}
{{- else if and (kindIs "float64" .) (eq (floor .) .) -}}
{{- int64 . -}}
{{- else -}}
{{- . -}}
{{- end -}}
{{- end -}}

{{/* Addresses by which clients know the server: those given, else those of the ingresses. Takes the root context. */}}
{{- define "opencaas.publicUrls" -}}
{{- $urls := .Values.restApi.publicUrls -}}
{{- if not $urls -}}
{{- range list .Values.restApi.ingress .Values.restApi.ingressPreview -}}
{{- if .enabled -}}
{{- $scheme := ternary "https" "http" .tls.enabled -}}
{{- range .hosts -}}
{{- if not (hasPrefix "*" .) -}}{{- $urls = append $urls (printf "%s://%s" $scheme .) -}}{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- join "," $urls -}}
{{- end -}}

{{/* Security context of containers; a null in the values leaves a line out. Takes the map. */}}
{{- define "opencaas.securityContext" -}}
{{- with . -}}
securityContext:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* What all pods of the image share: no token of Kubernetes, no variables of services. Takes the root context. */}}
{{- define "opencaas.podBasics" -}}
automountServiceAccountToken: false
{{- with .Values.restApi.serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
# A service called opencaas would bring OPENCAAS_PORT with it.
enableServiceLinks: false
{{- include "opencaas.pullSecrets" . }}
{{ include "opencaas.securityContext" .Values.restApi.podSecurityContext }}
{{- with .Values.restApi.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.restApi.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.restApi.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{/* What all containers of the image share. Takes the root context. */}}
{{- define "opencaas.containerBasics" -}}
image: {{ include "opencaas.image" (dict "root" . "image" .Values.restApi.image) | quote }}
imagePullPolicy: {{ .Values.restApi.image.pullPolicy }}
{{ include "opencaas.securityContext" .Values.restApi.securityContext }}
{{- end -}}

{{/* A script of files/ as command of a container. Takes (dict "root" $ "script" <file>). */}}
{{- define "opencaas.script" -}}
command: ["python3", "-I", "-c"]
args:
  - |
    {{- .root.Files.Get (printf "files/%s" .script) | trim | nindent 4 }}
{{- end -}}

{{/* Environment of the server. Takes the root context. */}}
{{- define "opencaas.restApiVariables" -}}
{{- $urls := include "opencaas.publicUrls" . -}}
- name: OPENCAAS_HOST
  value: {{ .Values.restApi.listenAddress | quote }}
- name: OPENCAAS_PORT
  value: "8080"
- name: OPENCAAS_WORKERS
  value: {{ int .Values.restApi.workers | quote }}
{{ include "opencaas.mongoUriVariables" (dict "root" . "variable" "OPENCAAS_MONGODB_URI") }}
{{ include "opencaas.credentialVariable" (dict "root" . "variable" "OPENCAAS_ADMIN_USER" "key" "webAdminUser") }}
{{ include "opencaas.credentialVariable" (dict "root" . "variable" "OPENCAAS_ADMIN_PASSWORD" "key" "webAdminPassword") }}
{{ include "opencaas.credentialVariable" (dict "root" . "variable" "OPENCAAS_TOKEN_SECRET" "key" "tokenSecret") }}
{{ include "opencaas.credentialVariable" (dict "root" . "variable" "OPENCAAS_MASTER_API_KEY" "key" "masterApiKey") }}
{{ include "opencaas.credentialVariable" (dict "root" . "variable" "OPENCAAS_METRICS_USER" "key" "metricsUser") }}
{{ include "opencaas.credentialVariable" (dict "root" . "variable" "OPENCAAS_METRICS_PASSWORD" "key" "metricsPassword") }}
- name: OPENCAAS_DEFAULT_PAGE_SIZE
  value: {{ int .Values.restApi.pageSize.default | quote }}
- name: OPENCAAS_MAX_PAGE_SIZE
  value: {{ int .Values.restApi.pageSize.max | quote }}
- name: OPENCAAS_DRAIN_SECONDS
  value: {{ include "opencaas.variableText" .Values.restApi.drainSeconds | quote }}
- name: OPENCAAS_GRACE_SECONDS
  value: {{ include "opencaas.variableText" .Values.restApi.graceSeconds | quote }}
{{- if $urls }}
- name: OPENCAAS_PUBLIC_URLS
  value: {{ $urls | quote }}
{{- end }}
{{- range $name, $value := .Values.restApi.settings }}
- name: OPENCAAS_{{ upper $name }}
  value: {{ include "opencaas.variableText" $value | quote }}
{{- end }}
{{- with .Values.restApi.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Where pods of the server go: away from each other, by hosts and by zones. Takes the root context. */}}
{{- define "opencaas.restApiPlacement" -}}
{{- $labels := include "opencaas.selectorLabels" (dict "root" . "component" "rest-api") -}}
{{- with .Values.restApi }}
{{- if .affinity }}
affinity:
  {{- toYaml .affinity | nindent 2 }}
{{- else if eq .antiAffinity "hard" }}
affinity:
  podAntiAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- $labels | nindent 12 }}
{{- else if eq .antiAffinity "soft" }}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- $labels | nindent 14 }}
{{- end }}
{{- with .topologySpread }}
{{- if .enabled }}
topologySpreadConstraints:
  - maxSkew: {{ int .maxSkew }}
    topologyKey: {{ .topologyKey }}
    whenUnsatisfiable: {{ .whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- $labels | nindent 8 }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

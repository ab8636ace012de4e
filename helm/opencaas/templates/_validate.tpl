{{/*
Values that contradict each other, or that a schema can't judge without quoting a secret. Every part writes one mistake
a line; all of them make one message. Types, names and ranges are in values.schema.json.
*/}}

{{/* Refuse wrong values with one message that lists all of them. Takes the root context. */}}
{{- define "opencaas.validate" -}}
{{- $mistakes := list -}}
{{- range $part := list "names" "secretNames" "credentials" "images" "restApi" "budgets" "resources" "labels" "ingress" "deploy" "mongo" "monitoring" -}}
{{- range $line := include (printf "opencaas.validate.%s" $part) $ | splitList "\n" -}}
{{- with trim $line -}}
{{- $mistakes = append $mistakes (printf "- %s" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if $mistakes -}}
{{- printf "\nThese values are wrong:\n%s" (join "\n" $mistakes) | fail -}}
{{- end -}}
{{- end -}}

{{- define "opencaas.validate.names" -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" (include "opencaas.fullname" .)) }}
fullnameOverride: names of services begin with a letter, {{ include "opencaas.fullname" . | quote }} does not
{{- end }}
{{- end -}}

{{- define "opencaas.validate.credentials" -}}
{{- $given := .Values.credentials -}}
{{- $secrets := list "webAdminPassword" "metricsPassword" "mongoRootPassword" "mongoPassword" "mongoMetricsPassword" "tokenSecret" -}}
{{- range $name := $secrets }}
{{- if not (regexMatch "^[A-Za-z0-9]*$" (get $given $name | default "")) }}
credentials.{{ $name }}: only letters and digits
{{- end }}
{{- end }}
{{- if not (regexMatch "^[A-Za-z0-9-]*$" ($given.masterApiKey | default "")) }}
credentials.masterApiKey: only letters, digits and hyphens
{{- end }}
{{- if and $given.tokenSecret (lt (len $given.tokenSecret) 32) }}
credentials.tokenSecret: at least 32 characters
{{- end }}
{{- range $name := list "webAdminUser" "metricsUser" "mongoRootUser" "mongoUser" "mongoMetricsUser" }}
{{- if not (regexMatch "^[A-Za-z0-9._-]+$" (get $given $name | default "")) }}
credentials.{{ $name }}: only letters, digits and . _ -
{{- end }}
{{- end }}
{{- if ne 3 (list $given.mongoRootUser $given.mongoUser $given.mongoMetricsUser | uniq | len) }}
credentials.mongoRootUser, mongoUser and mongoMetricsUser: three different users
{{- end }}
{{- if eq $given.webAdminUser $given.metricsUser }}
credentials.webAdminUser and metricsUser: two different users
{{- end }}
{{- $clusterKey := include "opencaas.oneLine" $given.clusterKey }}
{{- if $clusterKey }}
{{- if not (regexMatch "^[A-Za-z0-9+/=]+$" $clusterKey) }}
credentials.clusterKey: only what openssl rand -base64 756 writes
{{- end }}
{{- if or (lt (len $clusterKey) 6) (gt (len $clusterKey) 1024) }}
credentials.clusterKey: 6 to 1024 characters (openssl rand -base64 756)
{{- end }}
{{- end }}
{{- $found := include "opencaas.foundCredentials" . | fromJson }}
{{- if $given.existingSecret }}
{{- range $name := concat $secrets (list "masterApiKey" "clusterKey") }}
{{- if get $given $name }}
credentials.{{ $name }}: comes from the secret that credentials.existingSecret names; leave it empty
{{- end }}
{{- end }}
{{- if $found }}
{{- $wanted := list "webAdminUser" "webAdminPassword" "masterApiKey" "tokenSecret" "metricsUser" "metricsPassword" }}
{{- if .Values.mongo.enabled }}
{{- $wanted = concat $wanted (list "mongoRootUser" "mongoRootPassword" "mongoUser" "mongoPassword" "mongoMetricsUser" "mongoMetricsPassword" "clusterKey") }}
{{- else if not .Values.mongo.externalUriSecret.name }}
{{- $wanted = append $wanted "mongoUri" }}
{{- end }}
{{- range $wanted }}
{{- if not (get $found .) }}
credentials.existingSecret: the secret {{ $given.existingSecret }} has no {{ . }}
{{- else if and (contains "mongo" .) (ne . "mongoUri") (not (regexMatch "^[A-Za-z0-9]+$" (get $found .))) }}
credentials.existingSecret: {{ . }} of the secret {{ $given.existingSecret }} must be letters and digits
{{- end }}
{{- end }}
{{- end }}
{{- else if .Values.mongo.enabled }}
{{- if and $clusterKey $found.clusterKey (ne $clusterKey $found.clusterKey) }}
credentials.clusterKey: can't change after the first installation, since the members of the replica set would not know each other any more; leave it empty, and the key of the secret {{ include "opencaas.credentialsSecret" . }} stays
{{- end }}
{{- if not $found }}
{{- $volume := include "opencaas.foundVolume" . }}
{{- if and $volume (not (and $clusterKey $given.mongoRootPassword $given.mongoPassword $given.mongoMetricsPassword)) }}
credentials: the volume {{ $volume }} of an earlier installation is there, but not its secret {{ include "opencaas.credentialsSecret" . }}; bring the secret back, or give mongoRootPassword, mongoPassword, mongoMetricsPassword and clusterKey
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Name of the first member's volume claim, if it is in the cluster. Takes the root context. */}}
{{- define "opencaas.foundVolume" -}}
{{- $name := printf "data-%s-0" (include "opencaas.componentName" (dict "root" . "component" "mongo")) -}}
{{- dig "metadata" "name" "" (lookup "v1" "PersistentVolumeClaim" .Release.Namespace $name | default dict) -}}
{{- end -}}

{{/* Not by the schema, whose messages quote what is there: it may be the secret itself. */}}
{{- define "opencaas.validate.secretNames" -}}
{{- with .Values }}
{{- $names := dict "imageCredentials.existingSecret" .imageCredentials.existingSecret "credentials.existingSecret" .credentials.existingSecret }}
{{- $names = merge $names (dict "mongo.externalUriSecret.name" .mongo.externalUriSecret.name "deploy.apiKeySecret.name" .deploy.apiKeySecret.name) }}
{{- range $path, $name := $names }}
{{- if not (regexMatch "^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$" (default "" $name)) }}
{{ $path }}: not the name of a secret, which has small letters, digits, hyphens and dots
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "opencaas.validate.images" -}}
{{- with .Values.imageRegistry }}
{{- if contains "://" . }}
imageRegistry: a host and a path, without {{ regexFind "^[a-z]+://" . }}
{{- end }}
{{- end }}
{{- with .Values.imageCredentials }}
{{- if and .enabled (not .existingSecret) }}
{{- range $name := list "registry" "username" "password" }}
{{- if not (get $.Values.imageCredentials $name) }}
imageCredentials.{{ $name }}: is needed with imageCredentials.enabled
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "opencaas.validate.restApi" -}}
{{- with .Values.restApi }}
{{- if gt (int .pageSize.default) (int .pageSize.max) }}
restApi.pageSize.default: {{ int .pageSize.default }} is more than restApi.pageSize.max, {{ int .pageSize.max }}
{{- end }}
{{- $needed := add (ceil .drainSeconds) (ceil .graceSeconds) 5 }}
{{- if lt (int .terminationGracePeriodSeconds) (int $needed) }}
restApi.terminationGracePeriodSeconds: at least {{ $needed }}, five more than drainSeconds and graceSeconds together
{{- end }}
{{- with .horizontalPodAutoscaler }}
{{- if .enabled }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
restApi.horizontalPodAutoscaler.minReplicas: {{ int .minReplicas }} is more than maxReplicas, {{ int .maxReplicas }}
{{- end }}
{{- if not (dig "requests" "cpu" "" $.Values.restApi.resources) }}
restApi.resources.requests.cpu: is needed with horizontalPodAutoscaler.enabled, whose percentage is a share of it
{{- end }}
{{- end }}
{{- end }}
{{- if hasKey .settings "default_limit" }}
{{- if gt (int .settings.default_limit) (int (default 100 .settings.max_limit)) }}
restApi.settings.default_limit: is more than max_limit
{{- end }}
{{- end }}
{{- $volumes := list "tmp" }}
{{- range .extraVolumes }}
{{- if has .name $volumes }}
restApi.extraVolumes: {{ .name }} is there twice{{ if eq .name "tmp" }}, as the chart has one of that name{{ end }}
{{- end }}
{{- $volumes = append $volumes .name }}
{{- end }}
{{- range .extraVolumeMounts }}
{{- if not (has .name $volumes) }}
restApi.extraVolumeMounts: there is no volume {{ .name }} in restApi.extraVolumes
{{- end }}
{{- end }}
{{- range .extraEnv }}
{{- if hasKey $.Values.restApi.settings (.name | trimPrefix "OPENCAAS_" | lower) }}
restApi.extraEnv: {{ .name }} is in restApi.settings, too
{{- end }}
{{- if hasKey (include "opencaas.fixedVariables" $ | fromJson) .name }}
restApi.extraEnv: {{ .name }} is set by the chart ({{ get (include "opencaas.fixedVariables" $ | fromJson) .name }})
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "opencaas.validate.budgets" -}}
{{- $scaler := .Values.restApi.horizontalPodAutoscaler }}
{{- $servers := ternary $scaler.minReplicas .Values.restApi.replicas $scaler.enabled | int }}
{{- range $name, $pods := dict "restApi" $servers "mongo" (int .Values.mongo.replicas) }}
{{- with (get $.Values $name).podDisruptionBudget }}
{{- $none := has (toString .maxUnavailable) (list "0" "0%") }}
{{- if kindIs "string" .minAvailable }}
{{- $none = eq .minAvailable "100%" }}
{{- else if not (kindIs "invalid" .minAvailable) }}
{{- $none = ge (int .minAvailable) $pods }}
{{- end }}
{{- if and .enabled (kindIs "invalid" .maxUnavailable) (kindIs "invalid" .minAvailable) }}
{{ $name }}.podDisruptionBudget: needs maxUnavailable or minAvailable
{{- else if and .enabled $none }}
{{ $name }}.podDisruptionBudget: no node could be drained ever, as none of {{ $pods }} pods may be away
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* What a quantity such as 500Mi is as a number, to compare it. Takes the quantity. */}}
{{- define "opencaas.quantity" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9.]+([eE][+]?[0-9]+)?" $text -}}
{{- $units := dict "" 1.0 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18 -}}
{{- $units = merge $units (dict "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0) -}}
{{- mulf (float64 $number) (get $units (trimPrefix $number $text)) -}}
{{- end -}}

{{/* The API server refuses them in the middle of an upgrade. */}}
{{- define "opencaas.validate.resources" -}}
{{- range $path := list "restApi" "mongo" "mongo.keeper" "mongo.metrics" "deploy" }}
{{- $resources := $.Values }}
{{- range splitList "." $path }}{{ $resources = get $resources . }}{{ end }}
{{- $resources = $resources.resources | default dict }}
{{- range $name, $limit := $resources.limits }}
{{- $request := get ($resources.requests | default dict) $name }}
{{- if and $request (gt (include "opencaas.quantity" $request | float64) (include "opencaas.quantity" $limit | float64)) }}
{{ $path }}.resources.limits.{{ $name }}: {{ $limit }} is less than {{ $path }}.resources.requests.{{ $name }}, {{ $request }}
{{- end }}
{{- end }}
{{- end }}
{{- with .Values.mongo }}
{{- $limit := dig "limits" "memory" "" (.resources | default dict) }}
{{- if and $limit .wiredTigerCacheSizeGB }}
{{- if ge (mulf .wiredTigerCacheSizeGB 1073741824) (include "opencaas.quantity" $limit | float64) }}
mongo.wiredTigerCacheSizeGB: a cache of {{ .wiredTigerCacheSizeGB }} GB does not fit into mongo.resources.limits.memory, {{ $limit }}
{{- end }}
{{- end }}
{{- range $name, $least := .verticalPodAutoscaler.minAllowed }}
{{- $most := get $.Values.mongo.verticalPodAutoscaler.maxAllowed $name }}
{{- if and $most (gt (include "opencaas.quantity" $least | float64) (include "opencaas.quantity" $most | float64)) }}
mongo.verticalPodAutoscaler.minAllowed.{{ $name }}: {{ $least }} is more than maxAllowed.{{ $name }}, {{ $most }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "opencaas.validate.labels" -}}
{{- $own := include "opencaas.selectorLabels" (dict "root" . "component" "any") | fromYaml }}
{{- range $name := list "restApi" "mongo" }}
{{- range $label, $_ := (get $.Values $name).podLabels }}
{{- if hasKey $own $label }}
{{ $name }}.podLabels: {{ $label }} is set by the chart, which finds the pods by it
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "opencaas.validate.ingress" -}}
{{- range $name, $ingress := dict "restApi.ingress" .Values.restApi.ingress "restApi.ingressPreview" .Values.restApi.ingressPreview "adminWebapp.ingress" .Values.adminWebapp.ingress }}
{{- if $ingress.enabled }}
{{- if not $ingress.hosts }}
{{ $name }}.hosts: at least one, with {{ $name }}.enabled
{{- end }}
{{- with $ingress.certManager }}
{{- if and .issuer .clusterIssuer }}
{{ $name }}.certManager: either issuer or clusterIssuer
{{- end }}
{{- if and (or .issuer .clusterIssuer) (not $ingress.tls.enabled) }}
{{ $name }}.tls.enabled: is needed for a certificate by certManager
{{- end }}
{{- if and $ingress.tls.enabled (not $ingress.tls.secretName) (not .issuer) (not .clusterIssuer) }}
{{ $name }}.tls: needs secretName, or an issuer in {{ $name }}.certManager
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- $seen := list }}
{{- range list .Values.restApi.ingress .Values.restApi.ingressPreview .Values.adminWebapp.ingress }}
{{- if .enabled }}
{{- range .hosts }}
{{- if has . $seen }}
ingress hosts: {{ . }} is named twice
{{- end }}
{{- $seen = append $seen . }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "opencaas.validate.deploy" -}}
{{- with .Values.deploy }}
{{- if .enabled }}
{{- range $name := list "tenant" "project" }}
{{- if not (get $.Values.deploy $name) }}
deploy.{{ $name }}: is needed with deploy.enabled
{{- end }}
{{- end }}
{{- if lt (int $.Values.restApi.pageSize.max) 100 }}
restApi.pageSize.max: at least 100 with deploy.enabled, since the job reads lists by pages of that size
{{- end }}
{{- $sources := list }}
{{- if .source.existingClaim }}{{ $sources = append $sources "existingClaim" }}{{ end }}
{{- if .source.image.repository }}{{ $sources = append $sources "image" }}{{ end }}
{{- if .source.volume }}{{ $sources = append $sources "volume" }}{{ end }}
{{- if ne 1 (len $sources) }}
deploy.source: one of existingClaim, image.repository and volume says where the export is{{ if $sources }}, not {{ join " and " $sources }}{{ end }}
{{- end }}
{{- if and (eq 0 (len .states)) }}
deploy.states: at least one of preview and release
{{- end }}
{{- range .extraArgs }}
{{- if or (hasPrefix "--api-key" .) (hasPrefix "--server" .) }}
deploy.extraArgs: {{ regexFind "^--[a-z-]+" . }} is set by the chart; keys don't belong on a command line
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "opencaas.validate.mongo" -}}
{{- with .Values.mongo }}
{{- if .enabled }}
{{- if or .externalUri .externalUriSecret.name }}
mongo.externalUri: is for another MongoDB, with mongo.enabled: false
{{- end }}
{{- include "opencaas.validate.mongoMembers" $ }}
{{- else }}
{{- if and .externalUri .externalUriSecret.name }}
mongo.externalUri: either this or mongo.externalUriSecret.name
{{- else if and .externalUri $.Values.credentials.existingSecret }}
mongo.externalUri: with credentials.existingSecret the URI belongs into that secret, as mongoUri, or into mongo.externalUriSecret
{{- else if not (or .externalUri .externalUriSecret.name $.Values.credentials.existingSecret) }}
mongo.externalUri: or mongo.externalUriSecret.name is needed with mongo.enabled: false
{{- end }}
{{- if and .externalUri (not (regexMatch "^mongodb(\\+srv)?://" .externalUri)) }}
mongo.externalUri: begins with mongodb:// or mongodb+srv://
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "opencaas.validate.monitoring" -}}
{{- if (index .Values "caas-common").monitoring.grafana.dashboards.enabled }}
{{- if not (regexMatch "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$" (include "opencaas.dashboardNamespace" .)) }}
caas-common.monitoring.grafana.dashboards.configmapNamespace: one namespace, which {{ include "opencaas.dashboardNamespace" . | quote }} is not
{{- end }}
{{- end }}
{{- $alerts := (index .Values "caas-common").monitoring.prometheus.alerts.caas }}
{{- if not (regexMatch (printf "^(?:.*|(?:%s))$" (tpl $alerts.targetNamespace .)) "") }}
caas-common.monitoring.prometheus.alerts.caas.targetNamespace: {{ tpl $alerts.targetNamespace . | quote }} is no regular expression
{{- end }}
{{- $names := (include "opencaas.alerts.names" . | fromJson).names }}
{{- range concat (default list $alerts.disabled) (keys (default dict $alerts.thresholds) | sortAlpha) }}
{{- if not (has . $names) }}
caas-common.monitoring.prometheus.alerts.caas: there is no alert {{ . }}
{{- end }}
{{- end }}
{{- end -}}

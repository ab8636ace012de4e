{{/*
Passwords and keys: given, else those of the secret in the cluster, else made at random. They are decided once for all
templates (in .Values.decidedCredentials), since a second random value would not be the first.
*/}}

{{/* The secret in the cluster, or {}. Without a cluster (helm template) there is none. Takes the root context. */}}
{{- define "opencaas.foundCredentials" -}}
{{- $found := dict -}}
{{- $name := include "opencaas.credentialsSecret" . -}}
{{- /* lookup quotes what it can't ask for, and that may be a password in the place of a name. */ -}}
{{- if regexMatch "^[-a-z0-9.]+$" $name -}}
{{- range $key, $value := (lookup "v1" "Secret" .Release.Namespace $name | default dict).data | default dict -}}
{{- $_ := set $found $key ($value | b64dec) -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}

{{/* Fill .Values.decidedCredentials; renders nothing. Takes the root context. */}}
{{- define "opencaas.decideCredentials" -}}
{{- if not (hasKey .Values "decidedCredentials") -}}
{{- $given := .Values.credentials -}}
{{- $found := include "opencaas.foundCredentials" . | fromJson -}}
{{- $decided := dict -}}
{{- if .Values.credentials.existingSecret -}}
{{- $decided = $found -}}
{{- else -}}
{{- range $name := list "webAdminUser" "metricsUser" "mongoRootUser" "mongoUser" "mongoMetricsUser" -}}
{{- $_ := set $decided $name (get $given $name) -}}
{{- end -}}
{{- range $name := list "webAdminPassword" "metricsPassword" "mongoRootPassword" "mongoPassword" "mongoMetricsPassword" -}}
{{- $_ := set $decided $name (coalesce (get $given $name) (get $found $name) (randAlphaNum 32)) -}}
{{- end -}}
{{- $_ := set $decided "masterApiKey" (coalesce $given.masterApiKey $found.masterApiKey uuidv4) -}}
{{- $_ := set $decided "tokenSecret" (coalesce $given.tokenSecret $found.tokenSecret (randAlphaNum 64)) -}}
{{- $_ := set $decided "clusterKey" (coalesce (include "opencaas.oneLine" $given.clusterKey) $found.clusterKey (randAlphaNum 756)) -}}
{{- $_ := set $decided "mongoMetricsUri" (include "opencaas.localMongoUri" (dict "root" . "user" $decided.mongoMetricsUser "password" $decided.mongoMetricsPassword)) -}}
{{- if .Values.mongo.enabled -}}
{{- $_ := set $decided "mongoUri" (include "opencaas.mongoUri" (dict "root" . "user" $decided.mongoUser "password" $decided.mongoPassword)) -}}
{{- else if .Values.mongo.externalUri -}}
{{- $_ := set $decided "mongoUri" .Values.mongo.externalUri -}}
{{- end -}}
{{- end -}}
{{- $_ := set .Values "decidedCredentials" $decided -}}
{{- end -}}
{{- end -}}

{{/* A key without line ends and blanks, as openssl writes them. Takes the text. */}}
{{- define "opencaas.oneLine" -}}
{{- regexReplaceAll "\\s+" (default "" .) "" -}}
{{- end -}}

{{/* What pods note about the secret, so that they start again when it changes. Takes (dict "root" $ "names" <keys>). */}}
{{- define "opencaas.credentialsChecksum" -}}
{{- include "opencaas.decideCredentials" .root -}}
{{- $seen := dict "secret" (include "opencaas.credentialsSecret" .root) -}}
{{- range .names -}}
{{- $_ := set $seen . (get $.root.Values.decidedCredentials .) -}}
{{- end -}}
{{- $seen | toJson | sha256sum -}}
{{- end -}}

{{/* Address of the chart's replica set. Takes (dict "root" $ "user" <name> "password" <text>); both as they stand in the URI. */}}
{{- define "opencaas.mongoUri" -}}
{{- $name := include "opencaas.componentName" (dict "root" .root "component" "mongo") -}}
{{- $domain := printf "%s.%s.svc.%s" $name .root.Release.Namespace .root.Values.clusterDomain -}}
{{- $hosts := list -}}
{{- range $place := until (int .root.Values.mongo.replicas) -}}
{{- $hosts = append $hosts (printf "%s-%d.%s:27017" $name $place $domain) -}}
{{- end -}}
{{- printf "mongodb://%s:%s@%s/?replicaSet=%s&authSource=admin" .user .password (join "," $hosts) .root.Values.mongo.replicaSetName -}}
{{- end -}}

{{/* Address of the member in the same pod. Takes (dict "root" $ "user" <name> "password" <text>). */}}
{{- define "opencaas.localMongoUri" -}}
{{- printf "mongodb://%s:%s@localhost:27017/?directConnection=true&authSource=admin" .user .password -}}
{{- end -}}

{{/* One variable out of the secret. Takes (dict "root" $ "variable" <name> "key" <key>). */}}
{{- define "opencaas.credentialVariable" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "opencaas.credentialsSecret" .root }}
      key: {{ .key }}
{{- end -}}

{{/*
Variables with the URI that the servers use, the URI last: from the secret, or put together by Kubernetes out of an
existing secret, which knows users and passwords but not how many members there are. Takes (dict "root" $ "variable" <name>).
*/}}
{{- define "opencaas.mongoUriVariables" -}}
{{- if not .root.Values.mongo.enabled -}}
{{- $other := .root.Values.mongo.externalUriSecret -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ default (include "opencaas.credentialsSecret" .root) $other.name }}
      key: {{ ternary $other.key "mongoUri" (not (empty $other.name)) }}
{{- else if .root.Values.credentials.existingSecret -}}
{{ include "opencaas.credentialVariable" (dict "root" .root "variable" "MONGO_USER" "key" "mongoUser") }}
{{ include "opencaas.credentialVariable" (dict "root" .root "variable" "MONGO_PASSWORD" "key" "mongoPassword") }}
- name: {{ .variable }}
  value: {{ include "opencaas.mongoUri" (dict "root" .root "user" "$(MONGO_USER)" "password" "$(MONGO_PASSWORD)") | quote }}
{{- else -}}
{{ include "opencaas.credentialVariable" (dict "root" .root "variable" .variable "key" "mongoUri") }}
{{- end -}}
{{- end -}}

{{/* The same for the exporter beside a member. Takes (dict "root" $ "variable" <name>). */}}
{{- define "opencaas.mongoMetricsUriVariables" -}}
{{- if .root.Values.credentials.existingSecret -}}
{{ include "opencaas.credentialVariable" (dict "root" .root "variable" "MONGO_METRICS_USER" "key" "mongoMetricsUser") }}
{{ include "opencaas.credentialVariable" (dict "root" .root "variable" "MONGO_METRICS_PASSWORD" "key" "mongoMetricsPassword") }}
- name: {{ .variable }}
  value: {{ include "opencaas.localMongoUri" (dict "root" .root "user" "$(MONGO_METRICS_USER)" "password" "$(MONGO_METRICS_PASSWORD)") | quote }}
{{- else -}}
{{ include "opencaas.credentialVariable" (dict "root" .root "variable" .variable "key" "mongoMetricsUri") }}
{{- end -}}
{{- end -}}

{{/*
Names, labels, images and the secret's name: what every template uses.
Objects are called <fullname>-<component>, such as caas-rest-api.
*/}}

{{/* Name of the chart in labels. */}}
{{- define "opencaas.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Prefix of all objects, 40 characters at most so that a component still fits. Takes the root context. */}}
{{- define "opencaas.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Name of a component's objects. Takes (dict "root" $ "component" "rest-api"). */}}
{{- define "opencaas.componentName" -}}
{{- printf "%s-%s" (include "opencaas.fullname" .root) .component -}}
{{- end -}}

{{/* Labels by which pods are found; no versions, since selectors can't be changed. Takes (dict "root" $ "component" "rest-api"). */}}
{{- define "opencaas.selectorLabels" -}}
app.kubernetes.io/name: {{ include "opencaas.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
{{- with .component }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{/* Labels of pods: without versions, so that a new chart alone starts nothing again. Takes (dict "root" $ "component" "rest-api"). */}}
{{- define "opencaas.podLabels" -}}
{{ include "opencaas.selectorLabels" . }}
app.kubernetes.io/part-of: caas
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
{{- end -}}

{{/* Recommended labels of every object. Takes (dict "root" $ "component" "rest-api"); component may be left out. */}}
{{- define "opencaas.labels" -}}
{{ include "opencaas.selectorLabels" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: caas
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{/*
Labels of an object or a pod with further ones, which win; a map may not have a key twice.
Takes (dict "labels" <text> "further" <map>).
*/}}
{{- define "opencaas.withLabels" -}}
{{- mergeOverwrite (fromYaml .labels) (default dict .further) | toYaml -}}
{{- end -}}

{{/*
Full name of an image with imageRegistry in front. Takes (dict "root" $ "image" <image>), where the image is
"name:tag" or {repository, tag, digest}; without tag and digest it is the chart's appVersion.
*/}}
{{- define "opencaas.image" -}}
{{- $name := "" -}}
{{- if kindIs "string" .image -}}
{{- $name = .image -}}
{{- else if .image.digest -}}
{{- $name = printf "%s@%s" .image.repository .image.digest -}}
{{- else -}}
{{- $name = printf "%s:%s" .image.repository (default .root.Chart.AppVersion .image.tag | toString) -}}
{{- end -}}
{{- with .root.Values.imageRegistry -}}
{{- printf "%s/%s" (trimSuffix "/" .) $name -}}
{{- else -}}
{{- $name -}}
{{- end -}}
{{- end -}}

{{/* Name of the secret with the registry's password; empty if there is none. Takes the root context. */}}
{{- define "opencaas.pullSecretName" -}}
{{- if .Values.imageCredentials.enabled -}}
{{- default (include "opencaas.componentName" (dict "root" . "component" "image-credentials")) .Values.imageCredentials.existingSecret -}}
{{- end -}}
{{- end -}}

{{/* imagePullSecrets of a pod, or nothing. Takes the root context. */}}
{{- define "opencaas.pullSecrets" -}}
{{- with include "opencaas.pullSecretName" . }}
imagePullSecrets:
  - name: {{ . }}
{{- end }}
{{- end -}}

{{/* Name of the secret with all passwords and keys: the chart's own, or credentials.existingSecret. Takes the root context. */}}
{{- define "opencaas.credentialsSecret" -}}
{{- default (include "opencaas.componentName" (dict "root" . "component" "credentials")) .Values.credentials.existingSecret -}}
{{- end -}}

{{/*
Alerts: the rules of alerts/*.yaml with the namespaces that they look at, their runbooks and the labels of the values.
*/}}

{{/* The namespaces that alerts look at, as it is written inside a string of PromQL. Takes the root context. */}}
{{- define "opencaas.alerts.namespace" -}}
{{- $alerts := (index .Values "caas-common").monitoring.prometheus.alerts -}}
{{- tpl $alerts.caas.targetNamespace . | replace "\\" "\\\\" | replace "\"" "\\\"" -}}
{{- end -}}

{{/* Namespace of the dashboards' config maps. Takes the root context. */}}
{{- define "opencaas.dashboardNamespace" -}}
{{- tpl ((index .Values "caas-common").monitoring.grafana.dashboards.configmapNamespace | default "") . | default .Release.Namespace -}}
{{- end -}}

{{/* The files whose rules are wanted, one a line. Takes the root context. */}}
{{- define "opencaas.alerts.files" -}}
{{- $alerts := (index .Values "caas-common").monitoring.prometheus.alerts -}}
alerts/rest-api.yaml
alerts/mongo.yaml
{{- if $alerts.caas.useAlphaAlerts }}
alerts/alpha.yaml
{{- end }}
{{- end -}}

{{/* Names of all alerts there are, by which values are checked, as JSON. Takes the root context. */}}
{{- define "opencaas.alerts.names" -}}
{{- $names := list -}}
{{- range $path, $_ := .Files.Glob "alerts/*.yaml" -}}
{{- range ($.Files.Get $path | fromYaml).groups -}}
{{- range .rules -}}
{{- $names = append $names .alert -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "names" (sortAlpha $names) | toJson -}}
{{- end -}}

{{/* Groups of rules, ready for a PrometheusRule. Takes the root context. */}}
{{- define "opencaas.alerts.groups" -}}
{{- $alerts := (index .Values "caas-common").monitoring.prometheus.alerts -}}
{{- $namespace := include "opencaas.alerts.namespace" . -}}
{{- $runbooks := trimSuffix "/" $alerts.caas.runbooks -}}
{{- range $path := include "opencaas.alerts.files" . | splitList "\n" -}}
{{- range $group := ($.Files.Get $path | fromYaml).groups -}}
{{- $rules := list -}}
{{- range $rule := $group.rules -}}
{{- if not (has $rule.alert (default list $alerts.caas.disabled)) -}}
{{- $expr := $rule.expr -}}
{{- if hasKey (default dict $alerts.caas.thresholds) $rule.alert -}}
{{- $expr = regexReplaceAll "[0-9.]+$" $expr (get $alerts.caas.thresholds $rule.alert | toString) -}}
{{- end -}}
{{- $expr = $expr | replace "TARGET_NAMESPACE" $namespace | replace "FULLNAME" (include "opencaas.fullname" $) -}}
{{- $labels := mergeOverwrite (deepCopy $rule.labels) (default dict $alerts.additionalAlertLabels) -}}
{{- $annotations := set (deepCopy $rule.annotations) "runbook_url" (printf "%s/%s.md" $runbooks $rule.alert) -}}
{{- $rules = append $rules (mergeOverwrite (deepCopy $rule) (dict "expr" $expr "labels" $labels "annotations" $annotations)) -}}
{{- end -}}
{{- end -}}
{{- if $rules }}
- {{ dict "name" $group.name "rules" $rules | toYaml | nindent 2 | trim }}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

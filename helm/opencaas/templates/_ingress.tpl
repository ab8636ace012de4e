{{/*
An ingress to the REST interface, or nothing. Takes (dict "root" $ "component" <name> "ingress" <values>).
cert-manager watches for its annotations and keeps the secret of the certificate.
*/}}
{{- define "opencaas.ingress" -}}
{{- $name := include "opencaas.componentName" . -}}
{{- $annotations := deepCopy (.ingress.annotations | default dict) -}}
{{- if .ingress.tls.enabled -}}
{{- with .ingress.certManager.clusterIssuer -}}
{{- $_ := set $annotations "cert-manager.io/cluster-issuer" . -}}
{{- end -}}
{{- with .ingress.certManager.issuer -}}
{{- $_ := set $annotations "cert-manager.io/issuer" . -}}
{{- end -}}
{{- end -}}
{{- if .ingress.enabled }}
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ $name }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "opencaas.labels" (dict "root" .root "component" .component) | nindent 4 }}
  {{- with $annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .ingress.ingressClassName }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- if .ingress.tls.enabled }}
  tls:
    - secretName: {{ .ingress.tls.secretName | default (printf "%s-tls" $name) }}
      hosts:
        {{- toYaml .ingress.hosts | nindent 8 }}
  {{- end }}
  rules:
    {{- range .ingress.hosts }}
    - host: {{ . | quote }}
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {{ include "opencaas.componentName" (dict "root" $.root "component" "rest-api") }}
                port:
                  name: http
    {{- end }}
{{- end }}
{{- end -}}

{{/* The job that runs opencaas deploy for one project. */}}

{{/* Arguments of the command: JSON. The key is in the environment, where no list of processes shows it. Takes the root context. */}}
{{- define "opencaas.deployArguments" -}}
{{- with .Values.deploy -}}
{{- $arguments := list "deploy" (printf "/source/%s" (trimPrefix "/" .source.path)) -}}
{{- $server := printf "http://%s" (include "opencaas.componentName" (dict "root" $ "component" "rest-api")) -}}
{{- $arguments = concat $arguments (list "--server" $server "--tenant" .tenant "--project" .project) -}}
{{- range .states -}}
{{- $arguments = concat $arguments (list "--state" .) -}}
{{- end -}}
{{- range .languages -}}
{{- $arguments = concat $arguments (list "--language" .) -}}
{{- end -}}
{{- range .gcaTemplates -}}
{{- $arguments = concat $arguments (list "--gca-template" .) -}}
{{- end -}}
{{- if .total -}}{{- $arguments = append $arguments "--total" -}}{{- end -}}
{{- if .lenient -}}{{- $arguments = append $arguments "--lenient" -}}{{- end -}}
{{- if .allowBreaking -}}{{- $arguments = append $arguments "--allow-breaking" -}}{{- end -}}
{{- $urls := include "opencaas.publicUrls" $ -}}
{{- if $urls -}}
{{- $arguments = concat $arguments (list "--public-url" (splitList "," $urls | first)) -}}
{{- end -}}
{{- concat $arguments (default list .extraArgs) | toJson -}}
{{- end -}}
{{- end -}}

{{/* Spec of the job. Takes the root context. */}}
{{- define "opencaas.deployJob" -}}
{{- $component := dict "root" . "component" "deploy" -}}
{{- with .Values.deploy -}}
backoffLimit: {{ int .backoffLimit }}
activeDeadlineSeconds: {{ int .activeDeadlineSeconds }}
{{- if not (kindIs "invalid" .ttlSecondsAfterFinished) }}
ttlSecondsAfterFinished: {{ int .ttlSecondsAfterFinished }}
{{- end }}
template:
  metadata:
    labels:
      {{- include "opencaas.podLabels" $component | nindent 6 }}
  spec:
    {{- include "opencaas.podBasics" $ | nindent 4 }}
    restartPolicy: Never
    initContainers:
      {{- if .source.image.repository }}
      - name: source
        image: {{ include "opencaas.image" (dict "root" $ "image" .source.image) | quote }}
        imagePullPolicy: {{ .source.image.pullPolicy | default "IfNotPresent" }}
        command: ["cp", "-R", {{ printf "%s/." (trimSuffix "/" .source.imagePath) | quote }}, "/source"]
        {{- include "opencaas.securityContext" $.Values.restApi.securityContext | nindent 8 }}
        resources:
          {{- toYaml .resources | nindent 10 }}
        volumeMounts:
          - name: source
            mountPath: /source
      {{- end }}
      - name: wait-for-server
        {{- include "opencaas.containerBasics" $ | nindent 8 }}
        {{- include "opencaas.script" (dict "root" $ "script" "wait_for_server.py") | nindent 8 }}
        env:
          - name: WAIT_SECONDS
            value: {{ include "opencaas.variableText" .waitForServerSeconds | quote }}
          - name: SERVER
            value: {{ printf "http://%s" (include "opencaas.componentName" (dict "root" $ "component" "rest-api")) }}
        resources:
          {{- toYaml .resources | nindent 10 }}
    containers:
      - name: deploy
        {{- include "opencaas.containerBasics" $ | nindent 8 }}
        command: ["opencaas"]
        args:
          {{- include "opencaas.deployArguments" $ | fromJsonArray | toYaml | nindent 10 }}
        env:
          # Where pictures are kept that are made from originals.
          - name: HOME
            value: /tmp
          - name: OPENCAAS_API_KEY
            valueFrom:
              secretKeyRef:
                name: {{ .apiKeySecret.name | default (include "opencaas.credentialsSecret" $) }}
                key: {{ ternary .apiKeySecret.key "masterApiKey" (not (empty .apiKeySecret.name)) }}
          {{- with .extraEnv }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
        resources:
          {{- toYaml .resources | nindent 10 }}
        volumeMounts:
          - name: source
            mountPath: /source
            readOnly: true
            {{- with .source.subPath }}
            subPath: {{ . }}
            {{- end }}
          - name: tmp
            mountPath: /tmp
    volumes:
      - name: tmp
        emptyDir:
          sizeLimit: {{ .tmpSize }}
      - name: source
        {{- if .source.existingClaim }}
        persistentVolumeClaim:
          claimName: {{ .source.existingClaim }}
          readOnly: true
        {{- else if .source.volume }}
        {{- toYaml .source.volume | nindent 8 }}
        {{- else }}
        emptyDir: {}
        {{- end }}
{{- end -}}
{{- end -}}

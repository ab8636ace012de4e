{{/* Parts of the MongoDB replica set. */}}

{{/* How a member is known to the others and to the servers, without its number. Takes the root context. */}}
{{- define "opencaas.mongoDomain" -}}
{{- $name := include "opencaas.componentName" (dict "root" . "component" "mongo") -}}
{{- printf "%s.%s.svc.%s" $name .Release.Namespace .Values.clusterDomain -}}
{{- end -}}

{{/* The expected members, one host:port a line: what the keepers go by. Takes the root context. */}}
{{- define "opencaas.mongoMembers" -}}
{{- $name := include "opencaas.componentName" (dict "root" . "component" "mongo") -}}
{{- $number := default .Values.mongo.replicas .Values.mongo.replicaSetMembers | int -}}
{{- range $place := until $number }}
{{ $name }}-{{ $place }}.{{ include "opencaas.mongoDomain" $ }}:27017
{{- end }}
{{- end -}}

{{/*
Flags of the exporter. Up to 0.20 it took a time for MongoDB's answers, newer ones take one for connecting.
Takes the root context.
*/}}
{{- define "opencaas.mongoExporterArgs" -}}
{{- $metrics := .Values.mongo.metrics -}}
{{- $image := include "opencaas.image" (dict "root" . "image" $metrics.image) -}}
{{- $version := regexFind "[0-9]+\\.[0-9]+(\\.[0-9]+)?" (regexFind ":[^/]*$" $image) -}}
{{- if and $version (semverCompare "<0.20.0-0" $version) }}
- --web.listen-address=:9216
- --mongodb.sync-timeout={{ $metrics.syncTimeout }}
{{- else }}
- --web.listen-address=:9216
- --mongodb.connect-timeout-ms={{ include "opencaas.milliseconds" $metrics.syncTimeout }}
- --collector.diagnosticdata
- --collector.replicasetstatus
- --collector.dbstats
{{- end }}
{{- range $metrics.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end -}}

{{/* A duration such as 90s or 1m30s in milliseconds. Takes the text. */}}
{{- define "opencaas.milliseconds" -}}
{{- $sum := 0 -}}
{{- $units := dict "ms" 1 "s" 1000 "m" 60000 "h" 3600000 -}}
{{- range $part := regexFindAll "[0-9]+(ms|s|m|h)" . -1 -}}
{{- $number := regexFind "^[0-9]+" $part -}}
{{- $sum = add $sum (mul (int64 $number) (get $units (trimPrefix $number $part))) -}}
{{- end -}}
{{- $sum -}}
{{- end -}}

{{/* What all containers of the replica set's pods share. Takes (dict "root" $ "image" <image>). */}}
{{- define "opencaas.mongoContainerBasics" -}}
image: {{ include "opencaas.image" . | quote }}
imagePullPolicy: {{ ternary (get (ternary .image dict (kindIs "map" .image)) "pullPolicy") "IfNotPresent" (and (kindIs "map" .image) (hasKey (ternary .image dict (kindIs "map" .image)) "pullPolicy")) }}
{{ include "opencaas.securityContext" .root.Values.mongo.securityContext }}
{{- end -}}

{{/* Where members go: away from each other, by hosts and by zones. Takes the root context. */}}
{{- define "opencaas.mongoPlacement" -}}
{{- $labels := include "opencaas.selectorLabels" (dict "root" . "component" "mongo") -}}
{{- with .Values.mongo }}
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
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .serviceAccountName }}
serviceAccountName: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{/*
Mistakes in the size of the replica set, one a line. Fewer pods than the keepers in the cluster expect members would
take a majority away: members go first. Takes the root context.
*/}}
{{- define "opencaas.validate.mongoMembers" -}}
{{- with .Values.mongo }}
{{- $replicas := int .replicas }}
{{- if not (has $replicas (list 1 3 5 7)) }}
mongo.replicas: 3, 5 or 7 (1 for a laptop); {{ $replicas }} members survive no more failures than {{ sub $replicas 1 }}
{{- end }}
{{- if not (kindIs "invalid" .replicaSetMembers) }}
{{- $members := int .replicaSetMembers }}
{{- if not (has $members (list 1 3 5 7)) }}
mongo.replicaSetMembers: 3, 5 or 7 (1 for a laptop)
{{- else if gt $members $replicas }}
mongo.replicaSetMembers: {{ $members }} is more than mongo.replicas, {{ $replicas }}
{{- end }}
{{- end }}
{{- $name := include "opencaas.componentName" (dict "root" $ "component" "mongo") }}
{{- $found := (lookup "v1" "ConfigMap" $.Release.Namespace (printf "%s-members" $name) | default dict).data | default dict }}
{{- $expected := len (compact (splitList "\n" (get $found "members"))) }}
{{- if gt $expected $replicas }}
mongo.replicas: {{ $replicas }} pods are fewer than the {{ $expected }} members of the replica set; set mongo.replicaSetMembers to {{ $replicas }} and leave mongo.replicas at first, then take members out with opencaas replica-set remove
{{- end }}
{{- include "opencaas.validate.mongoFixed" (dict "mongo" . "found" (lookup "apps/v1" "StatefulSet" $.Release.Namespace $name)) }}
{{- $own := list "--dbpath" "--port" "--bind_ip" "--bind_ip_all" "--ipv6" "--replSet" "--keyFile" "--noscripting" "--nounixsocket" "--quiet" "--wiredTigerCacheSizeGB" "--oplogSize" }}
{{- range .extraArgs }}
{{- if has (splitList "=" . | first) $own }}
mongo.extraArgs: {{ splitList "=" . | first }} is set by the chart, and mongod takes it but once
{{- end }}
{{- end }}
{{- if lt (int .terminationGracePeriodSeconds) 45 }}
mongo.terminationGracePeriodSeconds: at least 45, since a primary hands over and writes its memory to disk
{{- end }}
{{- end }}
{{- end -}}

{{/*
What a replica set that is there does not let change, one a line: its name, and its claims, with which Kubernetes
would refuse the upgrade in the middle. Takes (dict "mongo" <values> "found" <stateful set>); without one, nothing.
*/}}
{{- define "opencaas.validate.mongoFixed" -}}
{{- $mongo := .mongo }}
{{- with .found.spec }}
{{- range (first .template.spec.containers).args }}
{{- if and (hasPrefix "--replSet=" .) (ne . (printf "--replSet=%s" $mongo.replicaSetName)) }}
mongo.replicaSetName: can't change after the first installation; the replica set is called {{ trimPrefix "--replSet=" . }}
{{- end }}
{{- end }}
{{- with first (.volumeClaimTemplates | default list) }}
{{- $claim := . }}
{{- $size := $claim.spec.resources.requests.storage }}
{{- if ne (include "opencaas.quantity" $size) (include "opencaas.quantity" $mongo.persistentVolume.size) }}
mongo.persistentVolume.size: {{ $mongo.persistentVolume.size }} is not what the volumes have, {{ $size }}; docs/operations/mongodb.md says how to enlarge volumes
{{- end }}
{{- if ne ($claim.spec.storageClassName | default "") ($mongo.persistentVolume.storageClass | default "") }}
mongo.persistentVolume.storageClass: can't change while the stateful set is there, whose volumes have {{ $claim.spec.storageClassName | default "the class of the cluster" }}
{{- end }}
{{- if ne ($claim.spec.accessModes | toJson) ($mongo.persistentVolume.accessModes | toJson) }}
mongo.persistentVolume.accessModes: can't change while the stateful set is there
{{- end }}
{{- if ne ($claim.metadata.annotations | default dict | toJson) ($mongo.persistentVolume.annotations | default dict | toJson) }}
mongo.persistentVolume.annotations: can't change while the stateful set is there
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

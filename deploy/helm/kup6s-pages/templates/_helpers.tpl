{{/* The labels of all objects. */}}
{{- define "pages.labels" -}}
app.kubernetes.io/part-of: kup6s-pages
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* The labels of one object: its own take precedence over commonLabels. Arguments: list $ labels. */}}
{{- define "pages.labelsAnd" -}}
{{- toYaml (merge (dict) (index . 1) (include "pages.labels" (index . 0) | fromYaml)) }}
{{- end }}

{{/* The metadata of an object. Arguments: list $ "name" labels. */}}
{{- define "pages.metadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
namespace: {{ $root.Release.Namespace | quote }}
labels:
  app.kubernetes.io/name: {{ index . 1 }}
  {{- if gt (len .) 2 }}
  {{- include "pages.labelsAnd" (list $root (index . 2)) | nindent 2 }}
  {{- else }}
  {{- include "pages.labels" $root | nindent 2 }}
  {{- end }}
{{- end }}

{{/* The metadata of a cluster-wide object. */}}
{{- define "pages.clusterMetadata" -}}
{{- $root := index . 0 -}}
name: {{ index . 1 }}
labels:
  app.kubernetes.io/name: {{ index . 1 }}
  {{- include "pages.labels" $root | nindent 2 }}
{{- end }}

{{/* The reference of an image. Arguments: list $ (values of the image). */}}
{{- define "pages.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $common := $root.Values.image -}}
{{- with $image.registry | default $common.registry }}{{ . }}/{{ end }}{{ $image.repository }}
{{- if $image.digest }}@{{ $image.digest }}{{ else }}:{{ $image.tag | default $common.tag | default $root.Chart.AppVersion }}{{ end }}
{{- end }}

{{/* Whether syncer and nginx share a pod, because only one node at a time can mount the volume. */}}
{{- define "pages.onePod" -}}
{{- if ne .Values.persistence.accessMode "ReadWriteMany" }}true{{ end }}
{{- end }}

{{- define "pages.claim" -}}
{{ .Values.persistence.existingClaim | default "static-sites-data" }}
{{- end }}

{{- define "pages.webhookHost" -}}
{{- if .Values.webhooks.host }}{{ .Values.webhooks.host | lower }}
{{- else if .Values.platform.pagesDomain }}webhook.{{ .Values.platform.pagesDomain | lower }}
{{- end }}
{{- end }}

{{- define "pages.webhookSecret" -}}
{{ .Values.webhooks.secretName | default "pages-syncer" }}
{{- end }}

{{- define "pages.hookTokenSecret" -}}
{{ .Values.metacontroller.tokenSecretName | default "pages-hooks" }}
{{- end }}

{{/* The account that creates our objects, which the admission policies check. */}}
{{- define "pages.metacontrollerUser" -}}
{{- if .Values.metacontroller.bundled -}}
system:serviceaccount:{{ .Release.Namespace }}:pages-operator
{{- else -}}
system:serviceaccount:{{ .Values.metacontroller.namespace }}:{{ .Values.metacontroller.serviceAccount }}
{{- end }}
{{- end }}

{{/* The existing value of a Secret's key, or else a new random one, in base64. Arguments: list $ name key. */}}
{{- define "pages.kept" -}}
{{- $root := index . 0 -}}
{{- $there := lookup "v1" "Secret" $root.Release.Namespace (index . 1) | default dict -}}
{{- $data := get $there "data" | default dict -}}
{{- get $data (index . 2) | default (randAlphaNum 48 | b64enc) -}}
{{- end }}

{{/* Checks of the Platform's values that a JSON schema cannot express. */}}
{{- define "pages.checkPlatform" -}}
{{- $platform := .Values.platform -}}
{{- $issuer := $platform.tls.issuerRef.name -}}
{{- if and (eq $platform.tls.mode "Individual") (not $issuer) }}
{{- fail "platform.tls.mode Individual needs platform.tls.issuerRef.name; name the cert-manager issuer for the sites' certificates, or set the mode to Wildcard or Off" }}
{{- end }}
{{- if and (eq $platform.tls.mode "Wildcard") (not $issuer) (not $platform.tls.wildcardSecretName) }}
{{- fail "platform.tls.mode Wildcard needs platform.tls.wildcardSecretName or platform.tls.issuerRef.name; name a Secret with your certificate, or an issuer that can sign one" }}
{{- end }}
{{- end }}

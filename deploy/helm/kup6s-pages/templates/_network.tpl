{{- define "pages.traefikPeers" -}}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .Values.traefik.namespace | quote }}
  podSelector:
    matchLabels:
      {{- toYaml .Values.traefik.podLabels | nindent 6 }}
{{- range .Values.traefik.cidrs }}
- ipBlock:
    cidr: {{ . }}
{{- end }}
{{- end }}

{{- define "pages.monitoringPeer" -}}
namespaceSelector:
  matchLabels:
    kubernetes.io/metadata.name: {{ .Values.metrics.namespace | quote }}
{{- with .Values.metrics.podLabels }}
podSelector:
  matchLabels:
    {{- toYaml . | nindent 4 }}
{{- end }}
{{- end }}

{{/* Egress to the API server, whose addresses no selector can match. */}}
{{- define "pages.apiServerRule" -}}
{{- $api := .Values.networkPolicies.apiServer -}}
- ports:
    {{- range $api.ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
  {{- if $api.cidrs }}
  to:
    {{- range $api.cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  {{- end }}
{{- end }}

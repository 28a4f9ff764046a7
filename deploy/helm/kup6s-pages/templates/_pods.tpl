{{/* What Pod Security "restricted" wants of a pod, and a little more. */}}
{{- define "pages.podSecurity" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .Values.runAs.user | int64 }}
  runAsGroup: {{ .Values.runAs.group | int64 }}
  fsGroup: {{ .Values.runAs.fsGroup | int64 }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "pages.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  privileged: false
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Where a pod of these values may run. */}}
{{- define "pages.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . | quote }}
{{- end }}
{{- end }}

{{/* The token of the pod's ServiceAccount, for the one container that mounts it: the others of the pod have none. */}}
{{- define "pages.tokenVolume" -}}
name: api-token
projected:
  defaultMode: 0440
  sources:
    - serviceAccountToken:
        path: token
        expirationSeconds: 3607
    - configMap:
        name: kube-root-ca.crt
        items:
          - {key: ca.crt, path: ca.crt}
    - downwardAPI:
        items:
          - {path: namespace, fieldRef: {apiVersion: v1, fieldPath: metadata.namespace}}
{{- end }}

{{- define "pages.tokenMount" -}}
name: api-token
mountPath: /var/run/secrets/kubernetes.io/serviceaccount
readOnly: true
{{- end }}

{{/* nginx and its mounts: the live and the release trees, read-only, and nothing else of the volume. */}}
{{- define "pages.nginxContainer" -}}
name: nginx
image: {{ include "pages.image" (list . .Values.nginx.image) }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
command: [nginx]
args: [-e, stderr, -p, /sites, -c, /etc/nginx/nginx.conf]
ports:
  - {name: http, containerPort: 8080}
  - {name: nginx-health, containerPort: 8081}
readinessProbe:
  httpGet: {path: /healthz, port: nginx-health}
  periodSeconds: 5
livenessProbe:
  # That it answers at all: a volume that is away is no reason to start nginx anew.
  tcpSocket: {port: nginx-health}
  periodSeconds: 20
  failureThreshold: 3
lifecycle:
  # Until no one is sent here any more. The image's stop signal is QUIT, which ends what is running first.
  preStop:
    sleep: {seconds: 5}
resources:
  {{- toYaml .Values.nginx.resources | nindent 2 }}
{{ include "pages.containerSecurity" . }}
volumeMounts:
  - {name: sites, mountPath: /sites/live, subPath: live, readOnly: true}
  - {name: sites, mountPath: /sites/releases, subPath: releases, readOnly: true}
  - {name: nginx-config, mountPath: /etc/nginx, readOnly: true}
  - {name: nginx-tmp, mountPath: /tmp}
{{- end }}

{{- define "pages.nginxVolumes" -}}
- name: nginx-config
  configMap:
    name: nginx-config
- name: nginx-tmp
  emptyDir:
    sizeLimit: 128Mi
{{- end }}

{{- define "pages.nginxChecksum" -}}
checksum/nginx-config: {{ include (print .Template.BasePath "/nginx-config.yaml") . | sha256sum }}
{{- end }}

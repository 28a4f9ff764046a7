{{/* The security context that Pod Security "restricted" requires, and a little more. */}}
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

{{/* Where a pod with these values may run. */}}
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

{{/* The token of the pod's ServiceAccount, for the only container that mounts it. */}}
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

{{/* nginx with its mounts: of the volume, only the live and release folders, read-only. */}}
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
  # Only checks that nginx answers: a restart does not help if the volume is unavailable.
  tcpSocket: {port: nginx-health}
  periodSeconds: 20
  failureThreshold: 3
lifecycle:
  # Wait until Traefik sends no more requests. The image's stop signal is QUIT, which lets running requests finish.
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

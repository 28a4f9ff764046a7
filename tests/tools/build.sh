#!/bin/sh
# Build what the cluster tests run, once, by Go module name: tests/tools/build.sh DIRECTORY
#
# DIRECTORY/bin gets etcd, kube-apiserver, kube-controller-manager and kubectl; DIRECTORY/crds the CRDs of Traefik and
# cert-manager from their modules. DIRECTORY/cluster.key says of what: nothing is built again until that changes.
set -eu

name=cluster
. "$(dirname "$0")/once.sh"

traefik=github.com/traefik/traefik/v3@v3.6.12
cert_manager=github.com/cert-manager/cert-manager@v1.21.2

build() { # PROGRAM PACKAGE: without -o's help the binary would be named v3
    echo "building $1 …" >&2
    CGO_ENABLED=0 GOFLAGS=-mod=readonly go build -trimpath -ldflags='-s -w' -o "$into/bin/$1" "$2"
}

crds() { # FILE MODULE GLOB
    echo "fetching the CRDs of $2 …" >&2
    folder=$(go mod download -json "$2" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
    rm -f "$into/crds/$1"
    # shellcheck disable=SC2086 - a glob
    for file in "$folder"/$3; do
        printf -- '---\n'
        cat "$file"
    done > "$into/crds/$1"
}

echo "This takes about 5 minutes once, in $into." >&2
mkdir -p "$into/crds"
crds traefik.yaml "$traefik" 'docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml'
crds cert-manager.yaml "$cert_manager" 'deploy/crds/*.yaml'
build etcd go.etcd.io/etcd/server/v3
build kubectl k8s.io/kubernetes/cmd/kubectl
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver
built

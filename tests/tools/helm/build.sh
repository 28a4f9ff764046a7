#!/bin/sh
# Build what the chart's tests run, once, by Go module name: tests/tools/helm/build.sh DIRECTORY
#
# DIRECTORY/bin gets helm (4), helm3 and kubeconform, DIRECTORY/swagger.json is what the API server publishes of its kinds, and
# DIRECTORY/helm.key says of what they were built: nothing is built again until that changes.
set -eu

name=helm
. "$(dirname "$0")/../once.sh"

helm=helm.sh/helm/v4/cmd/helm@v4.3.1
helm3=helm.sh/helm/v3/cmd/helm@v3.22.0
kubernetes=k8s.io/kubernetes@v1.36.3 # as in ../go.mod
kubeconform=github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0

build() { # PROGRAM MODULE@VERSION [FLAG]: into a folder beside, so that a half-built program is never taken for one
    echo "building $1 …" >&2
    CGO_ENABLED=0 GOBIN="$into/bin.new" go install -trimpath -ldflags="-s -w ${3-}" "$2"
    made=${2%@*}
    mv "$into/bin.new/${made##*/}" "$into/bin/$1"
}

echo "This takes about 5 minutes once, in $into." >&2
folder=$(go mod download -json "$kubernetes" | sed -n 's/^[[:space:]]*"Dir": "\(.*\)",*$/\1/p')
install -m 0644 "$folder/api/openapi-spec/swagger.json" "$into/swagger.json"
build kubeconform "$kubeconform"
build helm "$helm"
# What Kubernetes it renders for without a cluster: as its releases are built, else it is 1.20.
minor=${kubernetes##*@v1.}
chartutil=helm.sh/helm/v3/pkg/chartutil
build helm3 "$helm3" "-X $chartutil.k8sVersionMajor=1 -X $chartutil.k8sVersionMinor=${minor%.*}"
rmdir "$into/bin.new"
built

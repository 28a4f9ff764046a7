#!/bin/sh
# Run the cluster tests on a kind cluster with Metacontroller, Traefik and cert-manager: tests/cluster/kind/run.sh [PYTEST ARGUMENT…]
#
# BIN: where pytest is. KEEP=1 leaves the cluster, for the next run or for a look around; its kubeconfig is named.
# The cluster's pods reach our hooks, which run here, at the gateway of kind's network: Docker has to run on this machine,
# not in a virtual machine of its own, and a firewall must let them in.
set -eu

BIN=$(cd "${BIN:-.venv/bin}" && pwd)
cluster=kup6s-pages-e2e
cert_manager=v1.21.2
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)

missing=
for program in docker kind kubectl helm; do
    command -v "$program" >/dev/null || missing="$missing $program"
done
if [ -n "$missing" ]; then
    echo "make e2e-kind needs$missing: install it first (kind.sigs.k8s.io, kubernetes.io/docs/tasks/tools, helm.sh)" >&2
    exit 1
fi
if ! docker info >/dev/null 2>&1; then
    echo "make e2e-kind needs Docker to run: start it, or see 'docker info' for what is wrong" >&2
    exit 1
fi

folder=$(mktemp -d)
kubeconfig=${KUBECONFIG_FILE:-$folder/kubeconfig}
finish() {
    if [ -n "${KEEP:-}" ]; then
        echo "the cluster is still there: kind get kubeconfig --name $cluster; kind delete cluster --name $cluster" >&2
    else
        kind delete cluster --name "$cluster" --kubeconfig "$kubeconfig"
    fi
    rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM

if kind get clusters 2>/dev/null | grep -qx "$cluster"; then
    echo "taking the cluster that is there …" >&2
    kind get kubeconfig --name "$cluster" > "$kubeconfig"
else
    kind create cluster --name "$cluster" --kubeconfig "$kubeconfig" --wait 180s
fi
export KUBECONFIG="$kubeconfig"

echo "installing cert-manager $cert_manager …" >&2
kubectl apply --server-side -f "https://github.com/cert-manager/cert-manager/releases/download/$cert_manager/cert-manager.yaml"
echo "installing Traefik …" >&2
helm upgrade --install traefik traefik --repo https://traefik.github.io/charts --namespace traefik --create-namespace \
    --set service.type=ClusterIP
echo "installing Metacontroller …" >&2
helm template kup6s-pages "$root/deploy/helm/kup6s-pages" --namespace kup6s-pages --values "$root/deploy/install-values.yaml" \
    --show-only templates/namespace.yaml --show-only templates/operator-rights.yaml | kubectl apply --server-side -f -
kubectl apply --server-side -k "$here"

kubectl wait --namespace cert-manager --for=condition=Available deployment --all --timeout=300s
kubectl wait --namespace traefik --for=condition=Available deployment --all --timeout=300s
kubectl rollout status --namespace kup6s-pages statefulset/metacontroller --timeout=300s

# An IPv6 network beside it has another gateway, or none, which is an empty line.
gateway=$(docker network inspect kind --format '{{range .IPAM.Config}}{{println .Gateway}}{{end}}' | grep -m 1 '^[0-9][0-9.]*$') || {
    echo "docker's network 'kind' has no IPv4 gateway, by which the pods would reach this machine" >&2
    exit 1
}
PAGES_TEST_KUBECONFIG="$kubeconfig" PAGES_TEST_HOOKS_HOST="$gateway" "$BIN/pytest" "$root/tests/cluster" "$@"

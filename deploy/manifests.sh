#!/bin/sh
# Bring the chart up to date with what it carries of other folders, and deploy/install.yaml with the chart:
# deploy/manifests.sh HELM
set -eu

[ $# = 1 ] || { echo "usage: $0 HELM" >&2; exit 2; }
helm=$(command -v "$1") || { echo "$1 is not there: run 'make tools', or install helm (helm.sh)" >&2; exit 1; }
case $helm in /*) ;; *) helm=$(pwd)/$helm ;; esac
cd "$(dirname "$0")/.."
chart=deploy/helm/kup6s-pages

# Helm reads nothing outside of the chart's folder, and a package has no links.
mkdir -p "$chart/files/nginx" "$chart/files/metacontroller" "$chart/files/monitoring"
rm -f "$chart"/files/*/*
cp deploy/nginx/* "$chart/files/nginx"
cp metacontroller/*.yaml "$chart/files/metacontroller"
cp deploy/monitoring/alerts.yaml deploy/monitoring/dashboard.json "$chart/files/monitoring"
cp crds/*.yaml "$chart/crds"

{
    echo "# Made by 'make manifests' of deploy/helm/kup6s-pages and deploy/install-values.yaml: change those."
    "$helm" template kup6s-pages "$chart" --namespace kup6s-pages --values deploy/install-values.yaml
} > deploy/install.yaml

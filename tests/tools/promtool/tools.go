//go:build tools

// Package tools pins the checker of Prometheus's rules; build.sh builds it.
package tools

import _ "github.com/prometheus/prometheus/cmd/promtool"

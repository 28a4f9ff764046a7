//go:build tools

// Package tools pins the router that the tests send requests through; build.sh builds it.
package tools

import _ "github.com/traefik/traefik/v3/cmd/traefik"

//go:build tools

// Package tools pins the forge that the tests push to; build.sh builds it.
package tools

import _ "code.gitea.io/gitea"

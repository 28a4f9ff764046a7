"""From a git server to a mirror: asked cheaply, fetched bounded, with nothing of the machine's own configuration."""

"""What the hooks and the syncer share: API models, names, conditions, manifests, settings."""

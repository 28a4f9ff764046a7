"""Where manifests, secrets and statuses live, behind one interface."""

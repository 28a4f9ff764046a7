"""Objects in YAML files."""

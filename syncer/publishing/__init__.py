"""From one source to the releases of its sites."""

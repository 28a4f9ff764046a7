"""Free space and the limits on its use."""

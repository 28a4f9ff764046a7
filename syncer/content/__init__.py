"""Decides which files of a git tree are published, and by which rules. Pure."""

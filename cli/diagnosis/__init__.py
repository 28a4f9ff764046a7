"""Judgements about a site and an installation, from collected facts; no I/O."""

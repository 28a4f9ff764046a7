"""Redirects and headers of a site: read as people write them, compiled for nginx, and evaluated as nginx does."""

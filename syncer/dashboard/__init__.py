"""A read-only web page of all sites: how each is, why, and what was live. Nothing in its data is trusted."""

"""A read-only web page of all sites: their state, its reason, and their releases. All data is untrusted."""

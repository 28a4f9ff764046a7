"""Which source is synced when, and which waits."""

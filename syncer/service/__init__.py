"""The running syncer: its threads, its sites and its housekeeping."""

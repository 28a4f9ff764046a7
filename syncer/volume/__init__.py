"""Writes releases to the volume, makes them live, and deletes them. No other code writes there."""

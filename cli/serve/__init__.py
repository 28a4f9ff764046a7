"""`pages serve`: sites on one machine, with a real nginx."""

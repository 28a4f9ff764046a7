"""Git to volume to status: what is due is fetched, released atomically and reported."""

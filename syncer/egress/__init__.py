"""The fence around outgoing requests: allowed hosts, checked addresses, pinned connections."""

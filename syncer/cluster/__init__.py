"""The syncer in a cluster: its Lease, its health and its Events."""

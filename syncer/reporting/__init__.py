"""What is reported, and where: the StaticSite's status, Events, and commit statuses at the forge."""

"""From a tree of git to the list of files that are published: pure."""

"""The web processes that `pages hooks` and `pages syncer` run."""

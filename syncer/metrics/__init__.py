"""The syncer's metrics: ``counted`` when something happens, ``observed`` when Prometheus reads them."""

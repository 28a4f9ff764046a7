"""The syncer's metrics: ``counted`` as things happen, ``observed`` when Prometheus looks. The core knows neither."""

"""Run all benchmarks, one after another: python -m bench."""

from bench import cluster_scale, nginx_overhead, peers, platform_sync, republish, requestpath, webhooks

for benchmark in (platform_sync, republish, peers, nginx_overhead, requestpath, webhooks, cluster_scale):
    print(f"\n{(benchmark.__doc__ or '').splitlines()[0]}\n", flush=True)
    benchmark.main()

"""All questions, one after another: python -m bench."""

from bench import cluster_scale, nginx_overhead, peers, platform_sync, republish, requestpath, webhooks

for question in (platform_sync, republish, peers, nginx_overhead, requestpath, webhooks, cluster_scale):
    print(f"\n{(question.__doc__ or '').splitlines()[0]}\n", flush=True)
    question.main()

"""All questions, one after another: python -m bench."""

from bench import nginx_overhead, peers, platform_sync, republish

for question in (platform_sync, republish, peers, nginx_overhead):
    print(f"\n{(question.__doc__ or '').splitlines()[0]}\n", flush=True)
    question.main()

"""``python -m docs.generate``: update the generated parts of the docs."""

from docs.generate import pages

for path, before, after in pages():
    if before != after:
        path.write_text(after, encoding="utf-8")
        print(path)

"""``python -m docs.generate``: bring the generated parts of the docs up to date."""

from docs.generate import pages

for path, before, after in pages():
    if before != after:
        path.write_text(after, encoding="utf-8")
        print(path)

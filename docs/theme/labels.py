"""Label cells with their column. On a phone a row is shown as a paragraph, and the stylesheet shows the labels."""

from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.treeprocessors import Treeprocessor
from properdocs.config.defaults import ProperDocsConfig

_AFTER_INLINE_MARKUP = 5


def on_config(config: ProperDocsConfig) -> None:
    """Add the extension."""
    config.markdown_extensions.append(_Labels())  # type: ignore[arg-type]  # it takes names and extensions alike


class _Labels(Extension):
    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the base class calls it so
        md.treeprocessors.register(_Cells(md), "labels", _AFTER_INLINE_MARKUP)


class _Cells(Treeprocessor):
    def run(self, root: Element) -> None:
        for table in root.iter("table"):
            columns = ["".join(head.itertext()).strip() for head in table.iter("th")]
            for row in table.iter("tr"):
                for column, cell in zip(columns[1:], row.findall("td")[1:], strict=False):
                    if column:
                        cell.set("data-label", column)

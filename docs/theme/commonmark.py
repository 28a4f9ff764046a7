"""Parse pages as CommonMark, as forges do. Python-Markdown is not CommonMark.

Otherwise a list right after a paragraph, or an example within a list, would differ between the forge and the site. The
later steps of ProperDocs, from the table of contents to the check of links, are unchanged.
"""

from collections.abc import Iterable, Sequence
from xml.etree import ElementTree as ET

from markdown import Markdown
from markdown.extensions import Extension
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from properdocs.config.defaults import ProperDocsConfig
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_by_name
from pygments.util import ClassNotFound


def on_config(config: ProperDocsConfig) -> None:
    """Replace the Markdown parser."""
    config.markdown_extensions.append(_CommonMark())  # type: ignore[arg-type]  # it takes names and extensions alike


class _CommonMark(Extension):
    def extendMarkdown(self, md: Markdown) -> None:  # noqa: N802 - the base class calls it so
        for each in ("html_block", "fenced_code_block"):
            md.preprocessors.deregister(each)
        for each in ("inline", "prettify"):
            md.treeprocessors.deregister(each)
        md.parser.parseDocument = _parse  # type: ignore[method-assign]


def _parse(lines: Iterable[str]) -> "ET.ElementTree[ET.Element | None]":
    reader = MarkdownIt("commonmark", {"xhtmlOut": True}).enable("table")
    reader.add_render_rule("fence", _example)
    html = reader.render("\n".join(lines))
    return ET.ElementTree(ET.fromstring(f"<div>{html}</div>"))  # noqa: S314 - our own pages


def _example(_renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: object, _env: object) -> str:
    token = tokens[index]
    try:
        lexer = get_lexer_by_name(token.info.strip() or "text")
    except ClassNotFound:
        lexer = TextLexer()
    code = highlight(token.content, lexer, HtmlFormatter(nowrap=True))
    return f'<div class="example"><pre><code>{code}</code></pre></div>\n'

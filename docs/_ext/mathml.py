"""Equations as MathML, which browsers draw themselves: no script, no network."""

from __future__ import annotations

import re

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

try:
    from docutils.utils.math import MathError
except ImportError:  # before docutils 0.22
    MathError = SyntaxError

logger = logging.getLogger(__name__)


# Commands that the converter does not know, by those that it does.
_SAME = {
    r"\dots": r"\ldots", r"\lVert": r"\|", r"\rVert": r"\|", r"\top": r"{\mathsf{T}}",
    r"\big": "", r"\Big": "",
}  # fmt: skip


def _known(text):
    """Return an equation with the commands that the converter knows."""
    for command, same in _SAME.items():
        text = re.sub(re.escape(command) + r"(?![A-Za-z])", lambda _, same=same: same, text)
    # Bars grow only where `left` and `right` say so; see `to_mathml`.
    text = re.sub(r"(?<!\\left)(?<!\\right)\\\|", r"\\parallel ", text)
    text = re.sub(r"(?<=[A-Za-z])'", r"^{\\prime}", text)
    # Else an index would stand below the accent, as below a sum.
    text = re.sub(r"(\\(?:bar|hat|tilde|vec)\s*(?:\{[^{}]*\}|[A-Za-z]))(?=[_^])", r"{\1{}}", text)
    return text.strip()


def to_mathml(node, *, block):
    """Return the MathML of a node, or its source where it cannot be converted."""
    text = _known(node.astext())
    try:
        found = tex2mathml(text, as_block=block)
    except MathError as error:
        logger.warning("equation %r: %s", text, error, location=node)
        return f"<code>{nodes.unescape(text)}</code>"
    # A function and its argument stand apart: log p.
    found = re.sub(
        r"(<mi>log</mi>)(?=\s*<m(?:i|row|sub|sup)\b)", r'\1<mspace width="0.17em"/>', found
    )
    found = found.replace("<mo>∥</mo>", '<mo stretchy="false">‖</mo>')
    if r"\left\langle" not in text:
        found = re.sub("<mo>([⟨⟩])</mo>", r'<mo stretchy="false">\1</mo>', found)
    return found


def visit_inline(self, node):
    self.body.append(to_mathml(node, block=False))
    raise nodes.SkipNode


def visit_block(self, node):
    # As in Sphinx's other renderers: the paragraph around it is made smaller.
    if isinstance(node.parent, nodes.paragraph):
        self.body.append("</p>")
    self.body.append(f'<div class="math-block">{to_mathml(node, block=True)}</div>')
    if isinstance(node.parent, nodes.paragraph):
        self.body.append("<p>")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}

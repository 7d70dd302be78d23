"""Lets long names in tables break between their words, so that tables fit on a phone."""

from __future__ import annotations

import re

TABLE = re.compile(r"<table\b.*?</table>", re.S)
CODE = re.compile(r"<code\b.*?</code>", re.S)
TEXT = re.compile(r"(?<=>)[^<]+(?=<)")
BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[_./=(])(?=\w)")


def breakable(html):
    """Return a page in which code in tables may break before each word of a name."""

    def in_text(match):
        return BETWEEN_WORDS.sub("<wbr>", match[0])

    def in_code(match):
        return TEXT.sub(in_text, match[0])

    return TABLE.sub(lambda table: CODE.sub(in_code, table[0]), html)


def change_body(*args):
    """Sphinx calls it with the application, the page's name, its template, context and tree."""
    context = args[3]
    if "body" in context:
        context["body"] = breakable(context["body"])


def setup(app):
    app.connect("html-page-context", change_body)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

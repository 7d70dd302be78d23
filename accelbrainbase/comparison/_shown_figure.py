"""A figure that a notebook shows as a picture."""

from __future__ import annotations

import io

from matplotlib.figure import Figure


class ShownFigure(Figure):
    """A figure without pyplot; as the value of a cell it is drawn, not printed.

    Notebooks draw figures of matplotlib only after pyplot has drawn one.
    """

    def _repr_png_(self) -> bytes:
        picture = io.BytesIO()
        self.savefig(picture, format="png", bbox_inches="tight")
        return picture.getvalue()

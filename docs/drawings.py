"""Draws docs/_static/floors.svg and interfaces.svg: `python docs/drawings.py`."""

from __future__ import annotations

from html import escape
from pathlib import Path

STATIC = Path(__file__).resolve().parent / "_static"
FONT = "font-family='system-ui, sans-serif'"


def text(x, y, words, size=14, weight="normal", anchor="start", fill="#1b2733"):
    return (
        f"<text x='{x}' y='{y}' {FONT} font-size='{size}' font-weight='{weight}' "
        f"text-anchor='{anchor}' fill='{fill}'>{escape(words)}</text>"
    )


def box(x, y, width, height, fill, stroke="#4a6785"):
    return (
        f"<rect x='{x}' y='{y}' width='{width}' height='{height}' rx='6' fill='{fill}' "
        f"stroke='{stroke}'/>"
    )


def svg(width, height, parts, title):
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' "
        f"height='{height}' role='img'><title>{escape(title)}</title>"
        f"<rect width='{width}' height='{height}' fill='white'/>{''.join(parts)}</svg>\n"
    )


FLOORS = [
    ("6", "the face", "flat names · estimators · plotting · compare", "#fde9d3"),
    ("5", "controllers", "GAN family · deep Q-learning · Transformer · adaptation", "#f8dfe0"),
    ("4", "models", "auto-encoders · Boltzmann machines · LSTM · convolutions", "#e7e0f5"),
    ("3", "what they are given", "losses · iterators · noise · constraints · samplers", "#dbeafc"),
    ("2", "the skeleton", "loop · history · checkpoints | what Gluon classes share", "#d9f0ea"),
    ("1", "the eight interfaces", "pure, no tensor library; checks; errors", "#e6f2d5"),
]  # fmt: skip


def floors():
    parts = []
    for number, (floor, name, rooms, colour) in enumerate(FLOORS):
        y = 20 + 62 * number
        parts += [
            box(20, y, 600, 52, colour),
            text(44, y + 33, floor, 20, "bold", "middle"),
            text(72, y + 22, name, 15, "bold"),
            text(72, y + 42, rooms, 12.5),
        ]
    parts.append(
        "<path d='M 645 40 V 372' stroke='#4a6785' stroke-width='2'/>"
        "<path d='M 639 364 L 645 376 L 651 364' fill='none' stroke='#4a6785' stroke-width='2'/>"
    )
    parts.append(
        f"<text x='668' y='205' {FONT} font-size='13' fill='#1b2733' text-anchor='middle' "
        "transform='rotate(90 668 205)'>imports go down, never up</text>"
    )
    return svg(690, 405, parts, "The floors of the package; each imports only floors below it")


USES = [
    ("Iteratable", "Computable", "Regularizatable", "Noiseable", "Samplable", "Observable"),
    ("auto-encoders", "•", "•", "•", "•", "", ""),
    ("Boltzmann machines", "•", "•", "•", "•", "", ""),
    ("LSTM, Transformers", "•", "•", "•", "•", "", ""),
    ("ladder, DRCN", "•", "•", "•", "•", "", ""),
    ("GAN family", "", "•", "•", "•", "•", "•"),
    ("deep Q-learning", "", "•", "•", "", "•", "•"),
    ("domain adaptation", "•", "•", "•", "", "", "•"),
    ("iterators", "", "", "", "•", "", ""),
]


def interfaces():
    left, top, width, height = 190, 70, 92, 30
    parts = [text(left - 14, 46, "given to it:", 13, "normal", "end")]
    for column, name in enumerate(USES[0]):
        ending = {"Computable": "Loss"}.get(name, "Data")
        x = left + width * column + width / 2
        size = 12 if len(name) < 13 else 9.5
        parts += [
            box(left + width * column + 4, 14, width - 8, 46, "#dbeafc"),
            text(x, 34, name, size, "bold", "middle"),
            text(x, 50, ending, size, "normal", "middle"),
        ]
    for number, (name, *marks) in enumerate(USES[1:]):
        y = top + height * number
        kind = "#f8dfe0" if number in (4, 5, 6) else "#e7e0f5" if number < 4 else "#e6f2d5"
        parts += [box(10, y + 2, left - 16, height - 4, kind), text(22, y + 20, name, 13)]
        for column, mark in enumerate(marks):
            x = left + width * column + width / 2
            if mark:
                parts.append(f"<circle cx='{x}' cy='{y + 15}' r='6' fill='#2f6db3'/>")
            else:
                parts.append(f"<circle cx='{x}' cy='{y + 15}' r='1.5' fill='#b7c3cf'/>")
    y = top + height * len(USES[1:]) + 18
    parts += [
        text(10, y, "Violet: an ObservableData. Red: a ControllableModel. Green:", 12),
        text(10, y + 18, "IteratableData, which read files by an ExtractableData.", 12),
    ]  # fmt: skip
    return svg(left + width * 6 + 10, y + 32, parts, "Which interfaces are given to which models")


if __name__ == "__main__":
    (STATIC / "floors.svg").write_text(floors(), encoding="utf-8")
    (STATIC / "interfaces.svg").write_text(interfaces(), encoding="utf-8")

"""A Transformer that goes on with a real text, beside an n-gram model.

    python reproductions/transformer_text.py --data DIRECTORY

The text is that of `language_model.py`: the documentation of Python, character by character, read
by `UnlabeledTHotTXTIterator`. The encoder reads 32 characters, the decoder writes the next 32. What
is measured is the perplexity of these, given all before them, on the last tenth of the text; the
n-gram model gets the same characters.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import math  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402
from _harness import Clock, Row, parser, report  # noqa: E402
from language_model import Budget, n_gram_perplexity, text  # noqa: E402

import accelbrainbase as ab  # noqa: E402
from accelbrainbase.iteratabledata.transformer_iterator import TransformerIterator  # noqa: E402

# isort: split
from mxnet import nd  # noqa: E402

HALF, BATCH = 32, 32


class Halves(TransformerIterator):
    """Windows of a text: the first half is to be read, the second to be written."""

    def __init__(self, windows: ab.UnlabeledTHotTXTIterator) -> None:
        self.windows = windows
        self.epochs, self.iter_n, self.batch_size = windows.epochs, windows.iter_n, BATCH

    def generate_learned_samples(self):
        for arr, *_ in self.windows.generate_learned_samples():
            *read, target = halves(arr[:, 0])
            yield (*read, *[None] * 4, target, None)

    def generate_inferenced_samples(self):
        yield from ()


def halves(arr: nd.NDArray) -> tuple[nd.NDArray, ...]:
    """Encoded, decoded (one character late), their masks, and the target."""
    encoded, decoded, target = arr[:, :HALF], arr[:, HALF - 1 : -1], arr[:, HALF:]
    mask = nd.ones(encoded.shape[:2])
    return encoded, decoded, mask, mask, target


def main() -> None:
    arguments = parser(__doc__.splitlines()[0])
    options = arguments.parse_args()
    minutes = 30.0 if options.long else 3.0
    tokens, characters = text(750_000 if options.long else 300_000)
    cut = int(0.9 * len(tokens))
    train, test = tokens[:cut], tokens[cut:]
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, part in (("train", train), ("test", test)):
            paths.append(Path(folder) / f"{name}.txt")
            paths[-1].write_text("".join(characters[token] for token in part), encoding="utf-8")
        windows = ab.UnlabeledTHotTXTIterator(
            paths[:1], paths[1:], epochs=1000, batch_size=BATCH, seq_len=2 * HALF, norm_mode=None,
            seed=options.seed,
        )  # fmt: skip
    ab.seed(options.seed)
    width = 256 if options.long else 128
    model = ab.TransformerController(
        layer_n=2, head_n=4, depth_dim=len(windows.token_list), hidden_dim=width,
        dropout_rate=0.1, optimizer_name="Adam", learning_rate=1e-3, weight_decay=0.0,
        max_gradient_norm=1.0,
    )  # fmt: skip
    clock = Clock(minutes)
    model.learn(Halves(windows), callbacks=[Budget(model, clock)])

    number_of = {token: number for number, token in enumerate(windows.token_list)}
    known = np.array([number_of[characters[token]] for token in test])
    starts = range(0, len(known) - 2 * HALF, HALF)
    nats, n = 0.0, 0
    for begin in range(0, len(starts), 256):
        rows = np.stack([known[start : start + 2 * HALF] for start in starts[begin : begin + 256]])
        encoded, decoded, mask, _, target = halves(nd.one_hot(nd.array(rows), len(number_of)))
        scores = nd.log_softmax(model.inference(encoded, decoded, mask, mask), axis=2)
        nats -= float((scores * target).sum().asscalar())
        n += target.shape[0] * HALF
    found = math.exp(nats / n)

    start = nd.one_hot(nd.array(known[None, :HALF]), len(number_of))
    written = {
        name: "".join(
            windows.token_list[token]
            for token in model.generate(
                start, start[:, -1:], HALF, temperature=temperature, seed=options.seed
            )[0]
        )
        for name, temperature in (("greedy", 0.0), ("drawn at temperature 0.7", 0.7))
    }
    grams = {order: n_gram_perplexity(train, test, order, len(characters)) for order in (4, 5, 6)}
    best = min(grams, key=grams.__getitem__)
    begun = "".join(windows.token_list[token] for token in known[:HALF])
    report(
        "transformer_text",
        "Transformer that goes on with the documentation of Python",
        [
            Row("Transformer, 2 + 2 layers", "perplexity of a character", found),
            Row(f"{best}-gram, Witten-Bell", "perplexity of a character", grams[best]),
        ],
        budget=f"{minutes:.0f} minutes, one core; {len(train)} characters to learn from; "
        f"{model.parameter_n} parameters",
        seeds=[options.seed],
        notes=f"After {begun!r} it writes: "
        + "; ".join(f"{name}: {made!r}" for name, made in written.items())
        + ".",
        page=options.page,
    )


if __name__ == "__main__":
    main()

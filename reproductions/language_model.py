"""An LSTM language model on a small real text, beside an n-gram model.

    python reproductions/language_model.py --data DIRECTORY

The text is the documentation that Python itself brings along (`pydoc_data.topics`), character by
character; the last tenth is held out. Dropout is that of Zaremba et al. (2014): on what goes into
the cells and on what goes out, not on what they pass on to themselves. The rival is an n-gram
model with Witten-Bell smoothing, whose order is the best one on the held-out text.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import math  # noqa: E402
import pydoc_data.topics  # noqa: E402
from collections import Counter, defaultdict  # noqa: E402

import numpy as np  # noqa: E402
from _harness import Clock, Row, parser, report  # noqa: E402

import accelbrainbase as ab  # noqa: E402

# isort: split
from mxnet import gluon, nd  # noqa: E402

LENGTH, BATCH = 64, 32


def text(size: int) -> tuple[np.ndarray, list[str]]:
    """The first `size` characters as numbers, and the characters.

    Topics repeat each other: of each paragraph only the first occurrence counts, or else what is
    held out would have been seen.
    """
    topics = pydoc_data.topics.topics
    paragraphs = (part for name in sorted(topics) for part in topics[name].split("\n\n"))
    whole = "\n\n".join(dict.fromkeys(paragraphs))[:size]
    characters = sorted(set(whole))
    number_of = {character: number for number, character in enumerate(characters)}
    return np.array([number_of[character] for character in whole]), characters


def n_gram_perplexity(train: np.ndarray, test: np.ndarray, order: int, size: int) -> float:
    """Witten-Bell: each context is mixed with the shorter one, by how often it saw new tokens."""
    counts: list[dict] = [defaultdict(Counter) for _ in range(order)]
    tokens = [int(token) for token in train]
    for at, token in enumerate(tokens):
        for n in range(min(order, at + 1)):
            counts[n][tuple(tokens[at - n : at])][token] += 1
    nats, tokens = 0.0, [*tokens[-order:], *(int(token) for token in test)]
    for at in range(order, len(tokens)):
        probability = 1.0 / size
        for n in range(order):
            seen = counts[n].get(tuple(tokens[at - n : at]))
            if seen:
                total, kinds = sum(seen.values()), len(seen)
                probability = (seen[tokens[at]] + kinds * probability) / (total + kinds)
        nats -= math.log(probability)
    return math.exp(nats / len(test))


class Passages(ab.IteratableData):
    """Passages of a text, each token one-hot; the target is the next token."""

    def __init__(self, tokens: np.ndarray, size: int, epochs: int, seed: int) -> None:
        self.tokens, self.size, self.epochs, self.seed = tokens, size, epochs, seed
        self.iter_n = epochs * (len(tokens) // (LENGTH * BATCH))

    def generate_learned_samples(self):
        generator = np.random.default_rng(self.seed)
        for _ in range(self.iter_n):
            starts = generator.integers(len(self.tokens) - LENGTH - 1, size=BATCH)
            rows = self.tokens[starts[:, None] + np.arange(LENGTH + 1)]
            arr = nd.one_hot(nd.array(rows), depth=self.size)
            yield arr[:, :-1], arr[:, 1:], None, None

    def generate_inferenced_samples(self):
        yield from ()


class Budget(ab.Callback):
    """Lets the learning rate fall, and ends the learning when the time is spent."""

    def __init__(self, model: ab.LSTMNetworks, clock: Clock) -> None:
        self.model, self.clock, self.rate = model, clock, model.learning_rate

    def on_step_end(self, state):
        if state.step % 20 == 0:
            self.model.learning_rate = self.rate * max(0.02, 1.0 - self.clock.spent)
            if self.clock.spent >= 1.0:
                state.stop("the budget is spent")


def perplexity(model: ab.LSTMNetworks, tokens: np.ndarray, size: int) -> float:
    """Read the text once, from its beginning to its end, with the states handed over."""
    state, nats, piece = None, 0.0, 500
    for begin in range(0, len(tokens) - 1, piece):
        part = nd.array(tokens[begin : begin + piece + 1][None])
        arr = nd.one_hot(part, depth=size)
        states, *state = model.propagate(nd, arr[:, :-1], state)
        logits = model.output_forward_propagate(nd, states)
        found = nd.pick(nd.log_softmax(logits, axis=2), part[:, 1:], axis=2)
        nats -= float(found.sum().asscalar())
    return math.exp(nats / (len(tokens) - 1))


def main() -> None:
    arguments = parser(__doc__.splitlines()[0])
    options = arguments.parse_args()
    minutes = 30.0 if options.long else 3.0
    tokens, characters = text(750_000 if options.long else 300_000)
    size, cut = len(characters), int(0.9 * len(tokens))
    train, test = tokens[:cut], tokens[cut:]
    rows = []
    for dropout in (0.0, 0.2):
        ab.seed(options.seed)
        model = ab.LSTMNetworks(
            computable_loss=gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False),
            hidden_n=256 if options.long else 128, output_n=size, output_activation="identity",
            dropout_rate=dropout, observed_dropout_rate=dropout / 4, forget_bias=1.0,
            optimizer_name="Adam", learning_rate=5e-3, learning_attenuate_rate=1.0,
            max_gradient_norm=1.0,
        )  # fmt: skip
        clock = Clock(minutes / 2)
        model.learn(Passages(train, size, 1000, options.seed), callbacks=[Budget(model, clock)])
        found = perplexity(model, test, size)
        print(f"dropout {dropout}: {found:.3f}", flush=True)
        rows.append(Row(f"LSTM, dropout {dropout}", "perplexity of a character", found))
    grams = {order: n_gram_perplexity(train, test, order, size) for order in range(3, 9)}
    best = min(grams, key=grams.__getitem__)
    rows.append(Row(f"{best}-gram, Witten-Bell", "perplexity of a character", grams[best]))
    report(
        "language_model",
        "LSTM language model on the documentation of Python",
        rows,
        budget=f"{minutes:.0f} minutes, one core; {len(train)} characters to learn from",
        seeds=[options.seed],
        notes="Zaremba et al. (2014) report on other texts, word by word.",
        page=options.page,
    )


if __name__ == "__main__":
    main()

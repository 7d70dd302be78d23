"""EncDec-AD on an electrocardiogram and on series of the Numenta benchmark, beside rivals.

    python reproductions/encdec_ad.py --data DIRECTORY

All detectors see the same windows of the same normal data, and score the same series. Nothing
anomalous is shown to them: the threshold is a quantile of normal scores, as for a user who
has no labels. The rivals: reconstruction by principal components, by a dense auto-encoder, and
an isolation forest on windows.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import matplotlib  # noqa: E402
import numpy as np  # noqa: E402
from _harness import Row, parser, report  # noqa: E402
from sklearn.decomposition import PCA  # noqa: E402
from sklearn.ensemble import IsolationForest  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

import accelbrainbase as ab  # noqa: E402
from accelbrainbase.estimators.windows import (  # noqa: E402
    cut_windows,
    downsample,
    merge_windows,
    window_starts,
)

matplotlib.use("Agg")

PAPER = "Malhotra et al. (2016)"
SERIES = ("nyc_taxi", "machine_temperature_system_failure", "ambient_temperature_system_failure")


class Components:
    """Reconstructs windows by their principal components."""

    def __init__(self, component_n: int) -> None:
        self.pca = PCA(component_n)

    def learn(self, iterator: Any, callbacks: Any) -> None:
        del callbacks
        batches = zip(
            iterator.generate_learned_samples(), range(iterator.iter_n // iterator.epochs)
        )
        windows = np.concatenate([batch[0].asnumpy() for batch, _ in batches])
        self.pca.fit(windows.reshape(len(windows), -1))

    def inference(self, windows: np.ndarray) -> np.ndarray:
        flat = windows.reshape(len(windows), -1)
        return self.pca.inverse_transform(self.pca.transform(flat))


def dense(code_n: int) -> Callable[[int, int], ab.AutoEncoder]:
    def make(seq_len: int, variable_n: int) -> ab.AutoEncoder:
        loss = ab.L2NormLoss()
        encoder = ab.NeuralNetworks(loss, units_list=[64, code_n], activation_list=["tanh", "tanh"])
        decoder = ab.NeuralNetworks(
            loss, units_list=[64, seq_len * variable_n], activation_list=["tanh", "identity"]
        )
        return ab.AutoEncoder(encoder, decoder, loss, optimizer_name="Adam", learning_rate=2e-3)

    return make


class Forest:
    """An isolation forest on windows, with the interface of `EncDecAD`."""

    def __init__(self, settings: dict[str, Any], seed: int) -> None:
        self.settings, self.forest = settings, IsolationForest(random_state=seed)

    def windows(self, series: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
        rows = downsample(series, self.settings["downsample"])
        starts = window_starts(len(rows), self.settings["window_len"], self.settings["stride"])
        windows = cut_windows(rows, starts, self.settings["window_len"])
        return windows.reshape(len(windows), -1), starts, len(rows)

    def fit(self, series: np.ndarray, labels: np.ndarray) -> Forest:
        windows, starts, _ = self.windows(series)
        spoilt = downsample((labels == -1).astype(float), self.settings["downsample"]) > 0
        bad = cut_windows(spoilt, starts, self.settings["window_len"]).any(axis=1)
        normal = windows[~bad]
        cut = int(0.8 * len(normal))
        self.forest.fit(normal[:cut])
        values = -self.forest.score_samples(normal[cut:])
        self.threshold_ = float(np.quantile(values, self.settings["quantile"]))
        return self

    def score_points(self, series: np.ndarray) -> np.ndarray:
        windows, starts, rows = self.windows(series)
        values = -self.forest.score_samples(windows)
        values = np.repeat(values[:, np.newaxis], self.settings["window_len"], axis=1)
        merged = merge_windows(values, starts, rows)
        return np.repeat(merged, self.settings["downsample"])[: len(series)]


def detectors(settings: dict[str, Any], seed: int, epochs: int) -> dict[str, Any]:
    shared = {**settings, "random_state": seed, "epochs": epochs}
    code_n = 10
    return {
        "EncDec-AD": ab.EncDecAD(**shared),
        "dense auto-encoder": ab.EncDecAD(**shared, model_factory=dense(code_n)),
        "principal components": ab.EncDecAD(**shared, model_factory=lambda *_: Components(code_n)),
        "isolation forest": Forest(settings, seed),
    }


def runs_of(flags: np.ndarray, gap: int) -> list[tuple[int, int]]:
    """First and last row of each run of `True`; runs closer than `gap` are one."""
    rows = np.flatnonzero(flags)
    if len(rows) == 0:
        return []
    parts = np.split(rows, np.flatnonzero(np.diff(rows) > gap) + 1)
    return [(int(part[0]), int(part[-1])) for part in parts]


def ecg(path: Path, seed: int, epochs: int, pictures: Path) -> list[Row]:
    data = np.load(path / "mitdb_100.npz")
    signal = (data["signal"].astype(float) - data["baseline"]) / data["gain"]
    beats, symbols = data["beat_sample"], data["beat_symbol"].astype(str)
    fs = int(data["fs"])
    labels = np.ones(len(signal), dtype=int)
    for beat in beats[symbols != "N"]:
        labels[max(0, beat - fs) : beat + fs] = -1
    end = len(signal) // 3
    settings = {
        "window_len": 64, "downsample": 8, "stride": 16, "score_stride": 16, "quantile": 0.999,
        "hidden_n": 64, "teacher_forcing": False, "patience": 15,
    }  # fmt: skip
    rows = []
    for name, detector in detectors(settings, seed, epochs).items():
        begin = time.perf_counter()
        if isinstance(detector, ab.EncDecAD):
            detector.fit(*_normal_pieces(signal[:end], labels[:end], 2 * fs))
        else:
            detector.fit(signal[:end], labels[:end])
        scores = detector.score_points(signal)
        score_of = np.array([scores[max(0, b - fs // 2) : b + fs // 3].max() for b in beats])
        test = beats > end
        order = np.argsort(np.argsort(-score_of[test]))
        kinds = symbols[test]
        ventricular = int(order[kinds == "V"][0]) + 1
        atrial = np.sort(order[kinds == "A"]) + 1
        auroc = roc_auc_score(kinds != "N", score_of[test])
        print(f"{name}: {time.perf_counter() - begin:.0f} s", flush=True)
        rows += [
            Row(
                f"ECG, {name}", f"rank of the ventricular beat among {test.sum()}",
                str(ventricular),
            ),
            Row(
                f"ECG, {name}", f"ranks of the {len(atrial)} atrial beats: best, median",
                f"{atrial[0]}, {int(np.median(atrial))}",
            ),
            Row(f"ECG, {name}", "AUROC, beats that are not normal", float(auroc)),
        ]  # fmt: skip
        if name == "EncDec-AD":
            at = int(beats[(symbols == "V")][0])
            part = slice(at - 5 * fs, at + 5 * fs)
            _picture(detector, signal[part], None, pictures / "encdec_ad_ecg.png")
    return rows


def _normal_pieces(signal: np.ndarray, labels: np.ndarray, least: int) -> tuple[Any, None]:
    pieces = [signal[a : b + 1] for a, b in runs_of(labels == 1, 1) if b + 1 - a >= 4 * least]
    return pieces, None


def benchmark(path: Path, name: str, seed: int, epochs: int, pictures: Path) -> list[Row]:
    data = np.load(path / "nab_known_cause.npz")
    values, anomaly = data[f"{name}__value"].astype(float), data[f"{name}__anomaly"] == 1
    settings = {
        "nyc_taxi": {"window_len": 84, "downsample": 4, "stride": 2, "score_stride": 6},
        "machine_temperature_system_failure": {
            "window_len": 32, "downsample": 6, "stride": 1, "score_stride": 8,
        },
        "ambient_temperature_system_failure": {
            "window_len": 48, "downsample": 1, "stride": 8, "score_stride": 8,
        },
    }[name]  # fmt: skip
    settings.update(quantile=0.99, patience=40)
    end = int(np.flatnonzero(anomaly)[0])
    labels = np.ones(end, dtype=int)
    rows = []
    for kind, detector in detectors(settings, seed, epochs).items():
        begin = time.perf_counter()
        detector.fit(values[:end, np.newaxis], labels)
        scores = detector.score_points(values[:, np.newaxis])
        alarms, truth = scores[end:] > detector.threshold_, anomaly[end:]
        windows = runs_of(truth, 1)
        found = sum(alarms[a : b + 1].any() for a, b in windows)
        gap = settings["window_len"] * settings["downsample"]
        false = [run for run in runs_of(alarms, gap) if not truth[run[0] : run[1] + 1].any()]
        precision = truth[alarms].mean() if alarms.any() else 0.0
        recall = alarms[truth].mean()
        f1 = 2 * precision * recall / max(precision + recall, 1e-12)
        print(f"{name}, {kind}: {time.perf_counter() - begin:.0f} s", flush=True)
        rows += [
            Row(
                f"{name}, {kind}", "windows found, false alarms",
                f"{found} of {len(windows)}, {len(false)}",
            ),
            Row(
                f"{name}, {kind}", "precision, recall, F1, AUROC of points",
                f"{precision:.2f}, {recall:.2f}, {f1:.2f}, "
                f"{roc_auc_score(truth, scores[end:]):.2f}",
            ),
        ]  # fmt: skip
        if kind == "EncDec-AD":
            marks = np.where(anomaly, -1, 1)
            _picture(detector, values[:, np.newaxis], marks, pictures / f"encdec_ad_{name}.png")
    return rows


def _picture(detector: ab.EncDecAD, series: np.ndarray, y: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure = detector.plot(series, y)[0].figure
    figure.savefig(path, dpi=80)
    matplotlib.pyplot.close(figure)


def main() -> None:
    arguments = parser(__doc__.splitlines()[0])
    arguments.add_argument("--only", nargs="*", default=["ecg", *SERIES])
    options = arguments.parse_args()
    epochs = 200 if options.long else 50
    pictures = options.page.parent / "pictures"
    rows, begin = [], time.perf_counter()
    for name in options.only:
        if name == "ecg":
            rows += ecg(options.data, options.seed, epochs, pictures)
        else:
            rows += benchmark(options.data, name, options.seed, 4 * epochs, pictures)
    report(
        "encdec_ad",
        "EncDec-AD: anomalies in an electrocardiogram and three series of the Numenta benchmark",
        rows,
        budget=(
            f"{(time.perf_counter() - begin) / 60:.0f} minutes, one core, {epochs} epochs "
            f"(Numenta: {4 * epochs})"
        ),
        seeds=[options.seed],
        notes=(
            f"{PAPER} reports no figure on these series. Detectors learn from the normal part "
            "before the first anomaly (ECG: the first third, without the beats that are not "
            "normal); figures are those of the rest. Windows of the benchmark are wide, so a "
            "recall of points far below 1 is expected; what matters is which windows are found, "
            "and how many false alarms there are beside them. Atrial beats have the shape of "
            "normal ones and come early; probably an encoder that has read a window tells the "
            "decoder when its beats come, so that they are no error. On the electrocardiogram "
            "EncDec-AD learned from what it wrote itself: with teacher forcing the loss of its own "
            "writing grew from the first epoch. Where the table shows a simpler rival with as many "
            "windows found and fewer false alarms, the rival is the better choice."
        ),
        page=options.page,
        pictures=sorted(pictures.glob("encdec_ad_*.png")),
    )


if __name__ == "__main__":
    main()

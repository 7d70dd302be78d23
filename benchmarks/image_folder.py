"""A folder of small images as mini-batches: this library, Pillow in a loop, PyTorch's `DataLoader`.

    python benchmarks/image_folder.py --data mnist.npz

The images of MNIST (`x_train` in the file; or name it in the environment variable MNIST) are
written as PNG files into a temporary directory. One epoch of mini-batches of 64 float32 images is
taken from it by each in turn, several times over, so the ratios hold on a busy machine too;
absolute times do not.

- `pillow`: each file is opened, converted to grey and to an array, one after the other.
- `first epoch`: a new `UnlabeledImageIterator`, which lists the directory too.
- `later epoch`: its second epoch, from memory.
- `DataLoader`: PyTorch, with and without worker processes, if it is installed. The data set does
  what `pillow` does.

None of them normalises, and each hands out tensors of its library.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

import accelbrainbase as ab

BATCH = 64

Run = Callable[[], None]
"""Takes all mini-batches of one epoch."""


def write_images(images: np.ndarray, directory: Path) -> list[str]:
    """Write PNG files; return their paths in a random order, the same one for all."""
    paths = []
    for number, image in enumerate(images):
        paths.append(str(directory / f"{number:05d}.png"))
        Image.fromarray(image).save(paths[-1])
    np.random.default_rng(0).shuffle(paths)
    return paths


def open_image(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("L"), dtype=np.float32)[None]


def pillow(paths: list[str]) -> Run:
    def run() -> None:
        for begin in range(0, len(paths), BATCH):
            np.stack([open_image(path) for path in paths[begin : begin + BATCH]])

    return run


def ours(directory: Path, image_n: int) -> tuple[Run, Run]:
    from mxnet import nd

    generators = []

    def take_epoch() -> None:
        for _ in range(-(-image_n // BATCH)):
            next(generators[0])
        nd.waitall()

    def first() -> None:
        iterator = ab.UnlabeledImageIterator(
            ab.ImageExtractor(28, 28, 1), [directory], epochs=3, batch_size=BATCH, norm_mode=None
        )
        generators[:] = [iterator.generate_learned_samples()]
        take_epoch()

    return first, take_epoch


def data_loader(paths: list[str], worker_n: int) -> Run:
    import torch
    from torch.utils.data import DataLoader, Dataset

    class Folder(Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, number: int) -> torch.Tensor:
            return torch.from_numpy(open_image(paths[number]))

    loader = DataLoader(Folder(), batch_size=BATCH, shuffle=True, num_workers=worker_n)

    def run() -> None:
        for _ in loader:
            pass

    return run


def contestants(directory: Path, paths: list[str]) -> dict[str, Run]:
    first, later = ours(directory, len(paths))
    runs = {"pillow": pillow(paths), "first epoch": first, "later epoch": later}
    try:
        import torch
    except ImportError:
        print("SKIPPED: PyTorch is not installed here, so its DataLoader is not measured.")
    else:
        torch.set_num_threads(1)
        for worker_n in (0, 2):
            runs[f"DataLoader, {worker_n} workers"] = data_loader(paths, worker_n)
    return runs


def measure(runs: dict[str, Run], rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each, in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            begin = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - begin)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", default=os.environ.get("MNIST"), help="npz file with x_train")
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.data is None or not Path(arguments.data).is_file():
        print(
            f"SKIPPED: there is no file {arguments.data!r}. Name an npz file with the images of "
            "MNIST by --data, or in the environment variable MNIST.",
            file=sys.stderr,
        )
        return
    images = np.load(arguments.data)["x_train"][: arguments.images]
    with tempfile.TemporaryDirectory() as place:
        paths = write_images(images, Path(place))
        runs = contestants(Path(place), paths)
        for run in runs.values():  # files into the system's memory, code into ours
            run()
        seconds = measure(runs, arguments.rounds)
    print(f"{len(images)} images, mini-batches of {BATCH}, {arguments.rounds} rounds")
    print(f"{'':24}{'µs an image':>12}{'speed beside pillow':>21}{'spread':>16}")
    for name, times in seconds.items():
        ratios = [base / own for base, own in zip(seconds["pillow"], times)]
        print(
            f"{name:24}{1e6 * median(times) / len(images):12.1f}{median(ratios):21.2f}"
            f"{min(ratios):9.2f}-{max(ratios):.2f}"
        )


if __name__ == "__main__":
    main()

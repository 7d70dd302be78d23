"""Mini-batches of 64 images from a folder of PNG files, 28×28 grey, in a random order.

Nothing is kept in memory here: each epoch decodes anew, as PyTorch's `DataLoader` does. Later
epochs come from memory in `image_folder_kept`.
"""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

TITLE = "image folder, decoded, mini-batch of 64"
WARM_UP, REPEAT = 5, 20
GOALS = {"torch_eager": 1.0}

BATCH, SIZE = 64, 28


def folder() -> Path:
    """Write the 1,797 digits of scikit-learn as PNG files; return their directory."""
    from PIL import Image
    from sklearn.datasets import load_digits

    place = tempfile.TemporaryDirectory()
    atexit.register(place.cleanup)
    for number, digit in enumerate(load_digits().images):
        image = Image.fromarray((digit * 15).astype(np.uint8)).resize((SIZE, SIZE))
        image.save(Path(place.name) / f"{number:05d}.png")
    return Path(place.name)


def ours(budget: int = 0) -> Callable[[int], None]:
    """This library, with no background threads either.

    Args:
        budget: How many bytes of images may be kept in memory.
    """
    import accelbrainbase as ab

    directory = folder()
    # The test folder has one image, so that what is measured is the images to learn from.
    test = tempfile.TemporaryDirectory()
    atexit.register(test.cleanup)
    first = min(directory.iterdir())
    (Path(test.name) / first.name).write_bytes(first.read_bytes())
    iterator = ab.UnlabeledImageIterator(
        ab.ImageExtractor(SIZE, SIZE, 1), [directory], [test.name], epochs=1_000_000,
        batch_size=BATCH, norm_mode=None, cache_budget=budget, thread_n=0, seed=0,
    )  # fmt: skip
    batches = iterator.generate_learned_samples()

    def run(n: int) -> None:
        for _ in range(n):
            batch = next(batches)
        batch[0].wait_to_read()

    return run


def torch_eager() -> Callable[[int], None]:
    """PyTorch's `DataLoader` with its default: no worker processes."""
    import torch
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset

    torch.set_num_threads(1)
    paths = sorted(str(path) for path in folder().iterdir())

    class Folder(Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return len(paths)

        def __getitem__(self, number: int):  # type: ignore[no-untyped-def]
            with Image.open(paths[number]) as image:
                arr = np.asarray(image.convert("L"), dtype=np.float32)
            return torch.from_numpy(arr[None])

    loader = DataLoader(Folder(), batch_size=BATCH, shuffle=True)

    def endless():  # type: ignore[no-untyped-def]
        while True:
            yield from loader

    batches = endless()

    def run(n: int) -> None:
        for _ in range(n):
            next(batches)

    return run


def predecessor() -> Callable[[int], None]:
    """The published 1.1.0, which decodes one file after the other, test images too."""
    import mxnet as mx

    from accelbrainbase.extractabledata._mxnet.image_extractor import ImageExtractor
    from accelbrainbase.iteratabledata._mxnet.unlabeled_image_iterator import (
        UnlabeledImageIterator,
    )

    directory = str(folder())
    iterator = UnlabeledImageIterator(
        image_extractor=ImageExtractor(width=SIZE, height=SIZE, channel=1, ctx=mx.cpu()),
        dir_list=[directory], test_dir_list=[directory], epochs=1_000_000, batch_size=BATCH,
        norm_mode=None,
    )  # fmt: skip
    batches = iterator.generate_learned_samples()

    def run(n: int) -> None:
        for _ in range(n):
            next(batches)
        mx.nd.waitall()

    return run

"""What the programs share that run libraries written for 1.1.0. `make downstream` runs them.

Where a library is not installed, its programs are skipped, and the summary says so.
"""

from __future__ import annotations

import mxnet as mx
import numpy as np
import pytest
from PIL import Image

import accelbrainbase as ab


@pytest.fixture(autouse=True)
def seeded():
    ab.seed(0)


@pytest.fixture
def ctx():
    """The libraries' own default is `mx.gpu()`."""
    return mx.cpu()


def disc(rng, size):
    """A bright disc somewhere on a dark ground."""
    radius = rng.uniform(0.15, 0.3) * size
    center = rng.uniform(0.35, 0.65, 2) * size
    y, x = np.ogrid[:size, :size]
    inside = (y - center[0]) ** 2 + (x - center[1]) ** 2 < radius**2
    return np.where(inside, 230.0, 20.0)


def stripes(rng, size):
    """Bright stripes, upright."""
    picture = np.full((size, size), 20.0)
    picture[:, rng.integers(4) :: 4] = 230.0
    return picture


def write_pictures(folder, draw, n, seed, size):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for i in range(n):
        picture = draw(rng, size) + rng.normal(0, 3, (size, size))
        Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(folder / f"{i}.png")
    return f"{folder}/"


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Folders of grey pictures, 28 x 28: discs to learn, discs and stripes to judge."""
    root = tmp_path_factory.mktemp("pictures")
    return {
        "discs": write_pictures(root / "discs", disc, 60, 0, 28),
        "other_discs": write_pictures(root / "other_discs", disc, 30, 1, 28),
        "stripes": write_pictures(root / "stripes", stripes, 30, 2, 28),
    }


@pytest.fixture(scope="session")
def small_pictures(tmp_path_factory):
    """Folders of grey pictures, 12 x 12, one a class."""
    root = tmp_path_factory.mktemp("classes")
    return [
        write_pictures(root / "a_discs", disc, 30, 3, 12),
        write_pictures(root / "b_stripes", stripes, 30, 4, 12),
    ]

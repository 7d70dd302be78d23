"""The shape of what samplers of distributions draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from accelbrainbase._checks import check_integer, check_is_a


def drawn_shape(
    batch_size: int,
    seq_len: int,
    channel: int,
    height: int,
    width: int,
    shape_tuple: Sequence[int] | None,
) -> tuple[int, ...]:
    """Return the shape of a mini-batch.

    Args:
        batch_size: Number of samples.
        seq_len: Length of sequences; 0 where there are none.
        channel: Number of channels.
        height: Height of an image.
        width: Width of an image.
        shape_tuple: The whole shape; if given, the others have no effect.

    Returns:
        `shape_tuple`, or `(batch_size, channel, height, width)`, or with sequences
        `(batch_size, seq_len, channel, height, width)`.
    """
    if shape_tuple is not None:
        check_is_a("shape_tuple", shape_tuple, Iterable)
        return tuple(check_integer("shape_tuple", n, low=1) for n in shape_tuple)
    sizes = {"batch_size": batch_size, "channel": channel, "height": height, "width": width}
    batch, *image = (check_integer(name, n, low=1) for name, n in sizes.items())
    length = check_integer("seq_len", seq_len, low=0)
    return (batch, length, *image) if length else (batch, *image)

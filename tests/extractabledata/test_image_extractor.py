"""Images of every mode, beside what they must become; files that are none."""

import struct
import zlib

import mxnet as mx
import numpy as np
import pytest
from PIL import Image, ImageFile

import accelbrainbase as ab
from accelbrainbase.extractabledata import _png
from accelbrainbase.extractabledata.image_extractor import ImageExtractor as NeutralImageExtractor

pytestmark = pytest.mark.filterwarnings("error::UserWarning")

GREY = np.array([[0, 50, 255], [7, 128, 200]], np.uint8)
COLOUR = np.arange(18, dtype=np.uint8).reshape(2, 3, 3) * 14
ALPHA = np.array([[255, 0, 99], [1, 255, 254]], np.uint8)


def luma(colour):
    """ITU-R 601-2, with which Pillow makes greys."""
    return np.round(colour.astype(float) @ [0.299, 0.587, 0.114])


def extract(path, channel, size=(3, 2)):
    return NeutralImageExtractor(*size, channel).extract(str(path))


def save(tmp_path, image, kind="png", **options):
    path = tmp_path / f"image.{kind}"
    deep_clear = options.pop("transparency") if image.mode == "I;16" and options else None
    image.save(path, **options)
    if deep_clear is not None:  # which old versions of Pillow read but do not write
        data, chunk = path.read_bytes(), b"tRNS" + struct.pack(">H", deep_clear)
        chunk = struct.pack(">I", 2) + chunk + struct.pack(">I", zlib.crc32(chunk))
        path.write_bytes(data[:33] + chunk + data[33:])
    return path


def expected(grey, colour, alpha):
    """What an image is for each number of channels."""
    grey, alpha = grey[None].astype(float), np.broadcast_to(alpha, (1, 2, 3)).astype(float)
    colour = np.broadcast_to(colour, (2, 3, 3)).transpose(2, 0, 1).astype(float)
    return {1: grey, 2: np.concatenate([grey, alpha]), 3: colour,
            4: np.concatenate([colour, alpha])}  # fmt: skip


def palette_image():
    image = Image.fromarray(np.array([[0, 1, 2], [2, 1, 0]], np.uint8), "P")
    image.putpalette([255, 0, 0, 0, 255, 0, 9, 9, 9])
    colour = np.array([[255, 0, 0], [0, 255, 0], [9, 9, 9]], np.uint8)[
        np.array([[0, 1, 2], [2, 1, 0]])
    ]
    return image, colour


def cases():
    grey3 = np.repeat(GREY[:, :, None], 3, axis=2)
    colour_alpha = np.dstack([COLOUR, ALPHA])
    image, palette = palette_image()
    black_white = np.array([[0, 255, 0], [255, 255, 0]], np.uint8)
    deep = GREY.astype(np.uint16) * 257
    yield "L", Image.fromarray(GREY), {}, expected(GREY, grey3, 255)
    yield "RGB", Image.fromarray(COLOUR), {}, expected(luma(COLOUR), COLOUR, 255)
    yield "RGBA", Image.fromarray(colour_alpha), {}, expected(luma(COLOUR), COLOUR, ALPHA)
    yield "LA", Image.fromarray(np.dstack([GREY, ALPHA])), {}, expected(GREY, grey3, ALPHA)
    yield "P", image, {}, expected(luma(palette), palette, 255)
    clear = np.array([[255, 0, 255], [255, 0, 255]], np.uint8)
    yield "P, clear", image, {"transparency": 1}, expected(luma(palette), palette, clear)
    some = np.array([[10, 20, 30], [30, 20, 10]], np.uint8)
    yield ("P, half clear", image, {"transparency": bytes([10, 20, 30])},
           expected(luma(palette), palette, some))  # fmt: skip
    yield ("1", Image.fromarray(black_white).convert("1"), {},
           expected(black_white, np.repeat(black_white[:, :, None], 3, axis=2), 255))  # fmt: skip
    yield "I;16", Image.fromarray(deep), {}, expected(GREY, grey3, 255)
    yield ("I;16, clear", Image.fromarray(deep), {"transparency": 50 * 257},
           expected(GREY, grey3, np.where(GREY == 50, 0, 255)))  # fmt: skip
    yield ("L, clear", Image.fromarray(GREY), {"transparency": 50},
           expected(GREY, grey3, np.where(GREY == 50, 0, 255)))  # fmt: skip
    yield ("RGB, clear", Image.fromarray(COLOUR), {"transparency": tuple(COLOUR[0, 0].tolist())},
           expected(luma(COLOUR), COLOUR, [[0, 255, 255], [255, 255, 255]]))  # fmt: skip


@pytest.mark.parametrize("channel", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "image, options, wanted", [pytest.param(*case[1:], id=case[0]) for case in cases()]
)
def test_all_modes_become_the_channels_that_are_asked_for(
    tmp_path, image, options, wanted, channel
):
    path = save(tmp_path, image, **options)
    arr = extract(path, channel)
    assert arr.dtype == np.float32
    np.testing.assert_allclose(arr, wanted[channel], atol=1 if image.mode != "L" else 0)
    assert (arr[-1:] == wanted[channel][-1:]).all() or channel in (1, 3)  # alpha is exact


@pytest.mark.parametrize("kind", ["tif", "png"])
def test_sixteen_bits_are_scaled_not_cut(tmp_path, kind):
    values = np.array([[0, 127, 129], [128 * 257, 65535, 65280]], np.uint16)
    path = save(tmp_path, Image.fromarray(values), kind)
    np.testing.assert_array_equal(extract(path, 1)[0], np.round(values / 257))


def test_sixteen_bits_of_pgm(tmp_path):
    path = tmp_path / "a.pgm"
    path.write_bytes(b"P5 3 2 65535\n" + (GREY.astype(">u2") * 257).tobytes())
    np.testing.assert_array_equal(extract(path, 1)[0], GREY)


def test_cmyk(tmp_path):
    inks = np.zeros((2, 3, 4), np.uint8)
    inks[0, 0], inks[0, 1], inks[1, 2] = (255, 0, 0, 0), (0, 0, 0, 255), (0, 255, 255, 0)
    path = save(tmp_path, Image.fromarray(inks, "CMYK"), "tif")
    wanted = np.full((2, 3, 3), 255.0)
    wanted[0, 0], wanted[0, 1], wanted[1, 2] = (0, 255, 255), (0, 0, 0), (255, 0, 0)
    np.testing.assert_array_equal(extract(path, 3), wanted.transpose(2, 0, 1))
    np.testing.assert_array_equal(extract(path, 1)[0], luma(wanted))
    assert (extract(path, 4)[3] == 255).all()


def test_jpeg_and_the_first_picture_of_a_gif(tmp_path):
    flat = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    jpeg = extract(save(tmp_path, Image.fromarray(flat), "jpg", quality=95), 3, (16, 16))
    np.testing.assert_allclose(jpeg, flat.transpose(2, 0, 1), atol=3)
    frames = [Image.fromarray(np.full((2, 3), v, np.uint8)) for v in (10, 240)]
    path = save(tmp_path, frames[0], "gif", save_all=True, append_images=frames[1:])
    assert (extract(path, 1) == 10).all()


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (5, 3), (300, 200)])
def test_the_short_way_gives_what_pillow_gives(tmp_path, mode, size):
    channel = len(mode)
    values = np.random.default_rng(0).integers(0, 256, (size[1], size[0], channel), np.uint8)
    values[::2] = values[::2].cumsum(axis=1)  # some rows that filters make smaller
    path = save(tmp_path, Image.fromarray(values.squeeze(-1) if channel == 1 else values))
    assert _png.plain_image(path.read_bytes()) is not None, "the short way was not taken"
    np.testing.assert_array_equal(extract(path, channel, size), values.transpose(2, 0, 1))


def test_interlaced_and_deep_files_are_left_to_pillow(tmp_path):
    for image, options in ((palette_image()[0], {}), (Image.fromarray(GREY), {"transparency": 3})):
        assert _png.plain_image(save(tmp_path, image, **options).read_bytes()) is None
    data = bytearray(save(tmp_path, Image.fromarray(GREY)).read_bytes())
    data[28] = 1  # interlaced
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    assert _png.plain_image(bytes(data)) is None


def png_of(rows, mode, size, spoiled=False):
    """A PNG file with these rows, filter types and all; or with a wrong checksum of zlib."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    colour = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[mode]
    header = struct.pack(">IIBBBBB", *size, 8, colour, 0, 0, 0)
    data = bytearray(zlib.compress(rows))
    data[-1] ^= spoiled
    return (_png.SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", bytes(data))
            + chunk(b"IEND", b""))  # fmt: skip


def random_rows(rng, mode, size):
    rows = rng.integers(0, 256, (size[1], 1 + len(mode) * size[0]), np.uint8)
    rows[:, 0] = rng.permutation(np.arange(size[1]) % 5)  # all five types of filter
    return rows


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_many_small_images_at_once_are_what_they_are_one_by_one(tmp_path, mode):
    rng, size, paths = np.random.default_rng(0), (7, 6), []
    for number in range(30):
        paths.append(tmp_path / f"{number}.png")
        paths[-1].write_bytes(png_of(random_rows(rng, mode, size).tobytes(), mode, size))
    Image.fromarray(GREY).save(paths[3], "GIF")  # some that are read one by one
    Image.fromarray(COLOUR).save(paths[8])
    extractor = NeutralImageExtractor(*size, len(mode))
    many = dict(extractor.decode_many(paths))
    assert sorted(many) == list(range(30))
    for position, path in enumerate(paths):
        image = Image.open(path)
        if position not in (3, 8):
            assert _png.filtered_rows(path.read_bytes(), mode, size) is not None
        wanted = np.asarray(image.convert(mode).resize(size)).reshape(6, 7, -1).transpose(2, 0, 1)
        np.testing.assert_array_equal(many[position], wanted)
        np.testing.assert_array_equal(extractor.decode(path), wanted)


@pytest.mark.parametrize("how", ["filter", "short", "checksum", "inner checksum"])
def test_a_broken_one_among_many_is_named(tmp_path, how):
    rng, size, paths = np.random.default_rng(0), (7, 6), []
    for number in range(9):
        rows = random_rows(rng, "L", size)
        paths.append(tmp_path / f"{number}.png")
        if number == 4 and how == "filter":
            rows[2, 0] = 77  # there is no such filter
        data = rows.tobytes()[: -9 if number == 4 and how == "short" else None]
        spoiled = number == 4 and how == "inner checksum"
        paths[-1].write_bytes(png_of(data, "L", size, spoiled))
    if how == "checksum":
        data = bytearray(paths[4].read_bytes())
        data[-20] ^= 1
        paths[4].write_bytes(data)
    with pytest.raises(ValueError, match="4.png' cannot be read as an image"):
        list(NeutralImageExtractor(*size, 1).decode_many(paths))


def test_decode_many_asks_a_decode_of_ones_own(tmp_path):
    class Inverted(NeutralImageExtractor):
        def decode(self, path):
            return 255 - super().decode(path)

    path = save(tmp_path, Image.fromarray(GREY))
    ((position, pixels),) = Inverted(3, 2, 1).decode_many([path])
    assert position == 0
    np.testing.assert_array_equal(pixels[0], 255 - GREY)


def test_large_files_are_read_whole(tmp_path):
    values = np.random.default_rng(0).integers(0, 256, (1500, 1100), np.uint8)
    for kind in ("png", "bmp"):  # more than a megabyte
        arr = extract(save(tmp_path, Image.fromarray(values), kind), 1, (1100, 1500))
        np.testing.assert_array_equal(arr[0], values)


@pytest.mark.parametrize("channel, mode", [(1, "L"), (2, "LA"), (3, "RGB"), (4, "RGBA")])
def test_size_is_width_and_height(tmp_path, channel, mode):
    values = np.random.default_rng(0).integers(0, 256, (40, 30, 4), np.uint8)
    image = Image.fromarray(values)
    arr = extract(save(tmp_path, image), channel, (10, 16))
    assert arr.shape == (channel, 16, 10) and arr.min() >= 0 and arr.max() <= 255
    resized = np.asarray(image.convert(mode).resize((10, 16), Image.BICUBIC))
    np.testing.assert_array_equal(arr, np.atleast_3d(resized).transpose(2, 0, 1))


def test_on_the_device(tmp_path):
    path = save(tmp_path, Image.fromarray(COLOUR))
    extractor = ab.ImageExtractor(width=3, height=2, channel=3, ctx=mx.cpu(1))
    arr = extractor.extract(path)
    assert isinstance(arr, mx.nd.NDArray) and arr.context == mx.cpu(1) and arr.dtype == np.float32
    np.testing.assert_array_equal(arr.asnumpy(), COLOUR.transpose(2, 0, 1))
    assert isinstance(extractor, NeutralImageExtractor)
    assert ab.ImageExtractor(3, 2, 1).ctx.device_type in ("cpu", "gpu")


def test_properties_can_be_set(tmp_path):
    extractor = ab.ImageExtractor(1, 1, 1)
    extractor.width, extractor.height = 3, 2
    extractor.set_channel(3)
    assert extractor.get_width() == 3
    assert extractor.extract(save(tmp_path, Image.fromarray(COLOUR))).shape == (3, 2, 3)


@pytest.mark.parametrize(
    "name, value, error, text",
    [
        ("width", 0, ValueError, "`width` must be at least 1, but got 0"),
        ("height", 2.0, TypeError, "`height` must be an integer, but got 2.0"),
        ("channel", 5, ValueError, "`channel` must be one of 1, 2, 3, 4, but got 5"),
        ("channel", True, TypeError, "`channel` must be an integer"),
    ],
)
def test_arguments_are_checked(name, value, error, text):
    arguments = {"width": 3, "height": 2, "channel": 1, name: value}
    with pytest.raises(error, match=text):
        ab.ImageExtractor(**arguments)
    extractor = ab.ImageExtractor(3, 2, 1)
    with pytest.raises(error, match=text):
        setattr(extractor, name, value)


def test_files_that_are_no_images_are_named(tmp_path):
    path = tmp_path / "notes.png"
    with pytest.raises(FileNotFoundError, match="no file '.*notes.png'"):
        extract(path, 1)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="'.*notes.png' must be an image, but the file is empty"):
        extract(path, 1)
    path.write_text("no picture")
    with pytest.raises(ValueError, match="notes.png' must be an image, but Pillow knows no such"):
        extract(path, 1)
    with pytest.raises(ValueError, match="is a directory"):
        extract(tmp_path, 1)
    with pytest.raises(TypeError, match="`path` must be a `str` or `PathLike`, but got 7"):
        NeutralImageExtractor(1, 1, 1).extract(7)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_numbers_without_a_range_are_named(tmp_path, mode):
    path = save(tmp_path, Image.fromarray(GREY).convert(mode), "tif")
    with pytest.raises(ValueError, match="image.tif' cannot be read as an image: its values are"):
        extract(path, 1)


@pytest.mark.parametrize("kind", ["png", "jpg", "gif", "bmp", "tif"])
def test_a_file_that_was_cut_off_is_named(tmp_path, kind):
    values = np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)
    data = save(tmp_path, Image.fromarray(values), kind).read_bytes()
    path = tmp_path / f"cut.{kind}"
    for length in (len(data) // 3, len(data) // 2, len(data) * 3 // 4):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=f"cut.{kind}' (cannot|must)"):
            extract(path, 1, (20, 20))


def test_one_changed_bit_of_a_png_is_noticed(tmp_path):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 256, (12, 12), np.uint8)
    for image in (Image.fromarray(values), Image.fromarray(values).convert("P")):
        data = save(tmp_path, image).read_bytes()
        path = tmp_path / "bit.png"
        for position in rng.choice(len(data), 60, replace=False):
            changed = bytearray(data)
            changed[position] ^= 1 << rng.integers(8)
            path.write_bytes(changed)
            with pytest.raises(ValueError, match="bit.png"):
                extract(path, 1, (12, 12))


def test_want_of_memory_is_not_blamed_on_the_file(tmp_path, monkeypatch):
    def no_memory(*args):
        raise MemoryError

    path = save(tmp_path, palette_image()[0])
    monkeypatch.setattr(Image, "open", no_memory)
    with pytest.raises(MemoryError):
        extract(path, 1)


def test_who_wants_truncated_images_gets_them(tmp_path, monkeypatch):
    values = np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)
    path = save(tmp_path, Image.fromarray(values))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="the file ends too early"):
        extract(path, 1, (20, 20))
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    np.testing.assert_array_equal(extract(path, 1, (20, 20))[0, :5], values[:5])

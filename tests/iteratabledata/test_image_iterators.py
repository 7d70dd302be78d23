"""Folders of images: what comes, in what order, how it is normalised, and what goes wrong."""

import gc
import threading
import time

import mxnet as mx
import numpy as np
import pytest
from mxnet import nd
from PIL import Image

import accelbrainbase as ab
from accelbrainbase.extractabledata.image_extractor import ImageExtractor as NeutralImageExtractor
from accelbrainbase.iteratabledata._images import THREAD_NAME, ImageStore, read_ahead
from accelbrainbase.iteratabledata.labeled_image_iterator import (
    LabeledImageIterator as NeutralLabeledImageIterator,
)
from accelbrainbase.iteratabledata.unlabeled_image_iterator import (
    UnlabeledImageIterator as NeutralUnlabeledImageIterator,
)


def write(directory, values, names=None):
    """Write images of 3×2 pixels whose first pixel tells which one it is; return the directory."""
    directory.mkdir(parents=True, exist_ok=True)
    for position, value in enumerate(values):
        pixels = np.array([[value, 255, 0], [9, 8, 7]], np.uint8)
        name = names[position] if names else f"{value:03d}.png"
        Image.fromarray(pixels).save(directory / name)
    return str(directory)


@pytest.fixture
def folders(tmp_path):
    """Three classes of 4, 3 and 5 images, values 0..3, 10..12, 20..24."""
    return [
        write(tmp_path / "train" / name, range(first, first + size))
        for name, first, size in (("ant", 0, 4), ("bee", 10, 3), ("cat", 20, 5))
    ]


def make(kind, dir_list, test_dir_list=None, **options):
    options = {"epochs": 2, "batch_size": 4, "norm_mode": None, "seed": 1, **options}
    return kind(options.pop("extractor", ab.ImageExtractor(3, 2, 1)), dir_list, test_dir_list,
                **options)  # fmt: skip


def values_of(arr):
    """Which images are in a mini-batch: their first pixels."""
    return arr[..., 0, 0, 0].asnumpy().astype(int)


ALL = [0, 1, 2, 3, 10, 11, 12, 20, 21, 22, 23, 24]


def test_mini_batches_are_clean_images_as_they_are_in_the_files(folders):
    iterator = make(ab.UnlabeledImageIterator, folders)
    assert (iterator.iter_n, iterator.dataset_size, iterator.epochs) == (6, 12, 2)
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == 6
    for observed_arr, target_arr, test_arr, test_target_arr in batches:
        assert observed_arr is target_arr and test_arr is test_target_arr
        for arr in (observed_arr, test_arr):
            assert isinstance(arr, nd.NDArray) and arr.shape == (4, 1, 2, 3)
            assert arr.dtype == np.float32
            wanted = [[[[v, 255, 0], [9, 8, 7]]] for v in values_of(arr)]
            np.testing.assert_array_equal(arr.asnumpy(), wanted)


def test_each_image_comes_once_in_an_epoch(folders):
    batches = list(make(ab.UnlabeledImageIterator, folders).generate_learned_samples())
    order = [values_of(batch[0]) for batch in batches]
    first, second = np.concatenate(order[:3]), np.concatenate(order[3:])
    assert sorted(first) == ALL and sorted(second) == ALL
    assert list(first) != ALL and list(first) != list(second)


def test_epochs_that_are_no_whole_number_of_mini_batches_leave_none_out(folders):
    iterator = make(ab.UnlabeledImageIterator, folders, batch_size=5, epochs=5)
    order = np.concatenate([values_of(b[0]) for b in iterator.generate_learned_samples()])
    assert len(order) == 60 == 5 * iterator.iter_n
    for epoch in range(5):
        assert sorted(order[12 * epoch : 12 * epoch + 12]) == ALL


def test_mini_batches_are_whole_also_where_there_are_fewer_images(folders):
    iterator = make(ab.UnlabeledImageIterator, folders[1:2], batch_size=7, epochs=3)
    batches = list(iterator.generate_learned_samples())
    assert len(batches) == iterator.iter_n == 3
    for batch in batches:
        counts = np.bincount(values_of(batch[0]), minlength=13)[10:]
        assert counts.sum() == 7 and counts.min() >= 2


def test_labels_are_those_of_the_directories(folders):
    dir_list = [folders[2] + "/", folders[0], folders[1] + "//"]
    iterator = make(ab.LabeledImageIterator, dir_list)
    assert iterator.label_list == ["ant", "bee", "cat"]
    assert [path.rstrip("/")[-3:] for path in dir_list] == ["ant", "bee", "cat"]  # in place
    for observed_arr, label_arr, test_arr, test_label_arr in iterator.generate_learned_samples():
        for arr, labels in ((observed_arr, label_arr), (test_arr, test_label_arr)):
            assert labels.shape == (4, 3) and labels.dtype == np.float32
            np.testing.assert_array_equal(labels.asnumpy(), np.eye(3)[values_of(arr) // 10])


def test_a_slash_at_the_end_makes_no_difference(tmp_path):
    names = ["a", "a-b", "a.b", "ab"]
    folders = [write(tmp_path / name, [value]) for value, name in enumerate(names)]
    without = make(ab.LabeledImageIterator, list(folders)).label_list
    assert make(ab.LabeledImageIterator, [f + "/" for f in folders]).label_list == without
    assert without == ["a-b", "a.b", "a", "ab"]  # the order of 1.1.0, which had the slashes


def test_test_directories_get_the_classes_of_their_names(folders, tmp_path):
    some = [write(tmp_path / "test" / name, [first]) for name, first in (("cat", 25), ("bee", 15))]
    iterator = make(ab.LabeledImageIterator, folders, some, batch_size=2)
    for _, _, test_arr, test_label_arr in iterator.generate_learned_samples():
        np.testing.assert_array_equal(
            test_label_arr.asnumpy(), np.eye(3)[values_of(test_arr) // 10]
        )
    others = [write(tmp_path / "test" / str(n), [10 * n]) for n in range(3)]
    iterator = make(ab.LabeledImageIterator, folders, others)  # as many: by position
    for _, _, test_arr, test_label_arr in iterator.generate_learned_samples():
        np.testing.assert_array_equal(
            test_label_arr.asnumpy(), np.eye(3)[values_of(test_arr) // 10]
        )
    with pytest.raises(ValueError, match="`test_dir_list` has a directory '0', but the classes"):
        make(ab.LabeledImageIterator, folders, others[:2])


def test_directories_of_one_name_are_classes_of_their_own(tmp_path):
    folders = [write(tmp_path / part / "x", [value]) for part, value in (("a", 1), ("b", 11))]
    iterator = make(ab.LabeledImageIterator, folders)
    assert iterator.label_list == folders
    observed_arr, label_arr, _, _ = next(iterator.generate_learned_samples())
    np.testing.assert_array_equal(label_arr.asnumpy(), np.eye(2)[values_of(observed_arr) // 10])


@pytest.mark.parametrize("kind", [ab.UnlabeledImageIterator, ab.LabeledImageIterator])
def test_inference_gives_each_test_image_once_with_its_path(folders, tmp_path, kind):
    test_dir = write(tmp_path / "test" / "bee", [10, 9, 200])
    iterator = make(kind, folders, [test_dir], batch_size=2, norm_mode="min_max")
    samples = list(iterator.generate_inferenced_samples())
    assert [(a, b) for a, b, _, _ in samples] == [(None, None)] * 2
    assert [arr.shape for _, _, arr, _ in samples] == [(2, 1, 2, 3), (1, 1, 2, 3)]
    paths = [path for sample in samples for path in sample[3]]
    assert paths == [f"{test_dir}/{value:03d}.png" for value in (9, 10, 200)]
    pixels = np.concatenate([arr.asnumpy() for _, _, arr, _ in samples])[:, 0, 0, 0]
    np.testing.assert_allclose(pixels, np.array([9, 10, 200]) / 255, rtol=1e-6)


def test_names_with_numbers_are_in_the_order_of_the_numbers(tmp_path):
    names = ["f10.png", "f9.png", "f1.png", "F.png", "f1b.png"]
    folder = write(tmp_path / "x", range(5), names)
    (sample,) = make(
        ab.UnlabeledImageIterator, [folder], batch_size=9
    ).generate_inferenced_samples()
    assert [path[len(folder) + 1 :] for path in sample[3]] == [
        "F.png", "f1.png", "f1b.png", "f9.png", "f10.png",
    ]  # fmt: skip


@pytest.mark.parametrize("scale", [1.0, 2.5])
@pytest.mark.parametrize("norm_mode", ["z_score", "min_max"])
def test_each_image_is_normalised_by_itself_everywhere(tmp_path, norm_mode, scale):
    rng = np.random.default_rng(0)
    images = [rng.integers(20 * i, 100 + 30 * i, (2, 3, 3), dtype=np.uint8) for i in range(4)]
    images.append(np.full((2, 3, 3), 77, np.uint8))
    for number, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{number}.png")

    def normalised(image):
        arr = image.transpose(2, 0, 1).astype(float)
        if norm_mode == "z_score":
            return scale * (arr - arr.mean()) / (arr.std() or 1)
        return scale * (arr - arr.min()) / ((arr.max() - arr.min()) or 1)

    wanted = np.stack([normalised(image) for image in images])
    iterator = make(ab.UnlabeledImageIterator, [str(tmp_path)], norm_mode=norm_mode, scale=scale,
                    batch_size=5, extractor=ab.ImageExtractor(3, 2, 3))  # fmt: skip
    ((_, _, inferred, _),) = iterator.generate_inferenced_samples()
    np.testing.assert_allclose(inferred.asnumpy(), wanted, atol=1e-5)
    observed, _, test, _ = next(iterator.generate_learned_samples())
    for arr in (observed.asnumpy(), test.asnumpy()):
        order = [np.abs(wanted - image).sum(axis=(1, 2, 3)).argmin() for image in arr]
        assert sorted(order) == [0, 1, 2, 3, 4]
        np.testing.assert_allclose(arr, wanted[order], atol=1e-5)
    arr = iterator.pre_normalize(images[0].transpose(2, 0, 1).astype(np.float32))
    np.testing.assert_allclose(arr, wanted[0], atol=1e-5)


def test_noise_goes_on_the_observed_training_images_only(folders):
    noise = ab.GaussNoise(mu=1000.0, sigma=0.1)
    iterator = make(ab.UnlabeledImageIterator, folders, noiseable_data=noise)
    for observed_arr, target_arr, test_arr, test_target_arr in iterator.generate_learned_samples():
        assert observed_arr.asnumpy().min() > 900
        assert target_arr.asnumpy().max() == 255 and test_arr.asnumpy().max() == 255
        assert test_target_arr is test_arr
        np.testing.assert_allclose((observed_arr - target_arr).asnumpy(), 1000, atol=1)
    for _, _, arr, _ in iterator.generate_inferenced_samples():
        assert arr.asnumpy().max() == 255


def test_noise_leaves_labels_alone(folders):
    noise = ab.GaussNoise(mu=1000.0, sigma=0.1)
    iterator = make(ab.LabeledImageIterator, folders, noiseable_data=noise)
    observed_arr, label_arr, _, _ = next(iterator.generate_learned_samples())
    assert observed_arr.shape == (4, 1, 2, 3) and observed_arr.asnumpy().min() > 900
    assert (label_arr.sum(axis=1).asnumpy() == 1).all() and label_arr.asnumpy().max() == 1


def order_of(iterator, steps=None):
    generated = list(iterator.generate_learned_samples())[:steps]
    return [[values_of(arr).tolist() for arr in (b[0], b[2])] for b in generated]


def test_order_follows_from_the_seed_alone(folders):
    first = order_of(make(ab.UnlabeledImageIterator, folders))
    for options in ({"thread_n": 0}, {"thread_n": 3}, {"cache_budget": 0}, {"cache_budget": 30}):
        np.random.seed(options.get("thread_n", 7))
        assert order_of(make(ab.UnlabeledImageIterator, folders, **options)) == first
    assert all(row != test_row for row, test_row in first)  # they have draws of their own
    iterator = make(ab.UnlabeledImageIterator, folders, seed=2)
    assert order_of(iterator) != first
    assert order_of(iterator) == order_of(iterator)


def test_without_a_seed_the_global_one_decides(folders):
    iterator = make(ab.UnlabeledImageIterator, folders, seed=None)
    ab.seed(3)
    first, second = order_of(iterator), order_of(iterator)
    ab.seed(3)
    assert order_of(iterator) == first != second


def test_no_draws_between_the_mini_batches(folders):
    """So foreign draws do not change the order, nor the order foreign draws."""
    iterator = make(ab.UnlabeledImageIterator, folders)
    np.random.seed(0)
    wanted = np.random.rand(6)
    np.random.seed(0)
    got = [np.random.rand() for _ in iterator.generate_learned_samples()]
    np.testing.assert_array_equal(got, wanted)


def test_test_images_change_once_an_epoch(folders, tmp_path):
    test_dir = write(tmp_path / "test", range(100, 108))
    iterator = make(ab.UnlabeledImageIterator, folders, [test_dir], epochs=3)
    tests = [batch[2] for batch in iterator.generate_learned_samples()]
    assert [arr is tests[3 * (i // 3)] for i, arr in enumerate(tests)] == [True] * 9
    rows = [values_of(tests[i]) for i in (0, 3, 6)]
    assert sorted(np.concatenate(rows[:2])) == list(range(100, 108))


class Counting(NeutralImageExtractor):
    """Counts what it decodes."""

    def __init__(self, *args):
        super().__init__(*args)
        self.paths = []

    def decode(self, path):
        self.paths.append((path, threading.current_thread().name))
        return super().decode(path)


def test_files_are_decoded_once_where_they_fit(folders):
    extractor = Counting(3, 2, 1)
    iterator = make(ab.UnlabeledImageIterator, folders, extractor=extractor, epochs=4, thread_n=1)
    list(iterator.generate_learned_samples())
    list(iterator.generate_learned_samples())
    list(iterator.generate_inferenced_samples())
    assert len(extractor.paths) <= 13  # the first one says what they are like
    assert all(name.startswith(THREAD_NAME) for _, name in extractor.paths[1:])
    extractor.width = 6  # another size: what is kept is of no use
    assert next(iterator.generate_learned_samples())[0].shape == (4, 1, 2, 6)


def test_what_does_not_fit_is_decoded_again(folders):
    extractor = Counting(3, 2, 1)
    iterator = make(ab.UnlabeledImageIterator, folders, extractor=extractor, cache_budget=5 * 6 + 5)
    assert sorted(np.concatenate([row for row, _ in order_of(iterator, 3)])) == ALL
    del extractor.paths[:]
    order_of(iterator)
    decoded = {path for path, _ in extractor.paths}
    assert len(decoded) == 12 - 5


class Own(NeutralImageExtractor):
    """Has an `extract` of its own, which may do anything."""

    def extract(self, path):
        assert threading.current_thread() is threading.main_thread()
        return -super().extract(path)[:, :, :2]


def test_an_extract_of_ones_own_is_used_in_the_main_thread(folders):
    iterator = make(ab.UnlabeledImageIterator, folders, extractor=Own(3, 2, 1))
    for observed_arr, *_ in iterator.generate_learned_samples():
        assert observed_arr.shape == (4, 1, 2, 2)
        assert (observed_arr[:, 0, 0, 1].asnumpy() == -255).all()


def test_device_is_that_of_the_extractor(folders):
    extractor = ab.ImageExtractor(3, 2, 1, ctx=mx.cpu(1))
    for kind in (ab.UnlabeledImageIterator, ab.LabeledImageIterator):
        for arr in next(make(kind, folders, extractor=extractor).generate_learned_samples()):
            assert arr.context == mx.cpu(1)
        iterator = make(kind, folders, extractor=extractor, ctx=mx.cpu(2))
        assert next(iterator.generate_inferenced_samples())[2].context == mx.cpu(2)


def test_inheritance_and_keywords(folders):
    for kind, base in (
        (ab.UnlabeledImageIterator, NeutralUnlabeledImageIterator),
        (ab.UnlabeledVideoIterator, NeutralUnlabeledImageIterator),
        (ab.LabeledImageIterator, NeutralLabeledImageIterator),
        (ab.LabeledVideoIterator, NeutralLabeledImageIterator),
    ):
        assert issubclass(kind, base) and issubclass(kind, ab.IteratableData)
    iterator = ab.UnlabeledImageIterator(
        image_extractor=ab.ImageExtractor(width=3, height=2, channel=3), dir_list=folders,
        test_dir_list=None, epochs=7, batch_size=3, norm_mode="min_max", scale=0.9,
        noiseable_data=ab.GaussNoise(sigma=1e-3, mu=0.0),
    )  # fmt: skip
    assert iterator.iter_n == 28 and iterator.get_scale() == 0.9
    with pytest.raises(TypeError, match="`batchsize`.*Did you mean `batch_size`"):
        ab.UnlabeledImageIterator(ab.ImageExtractor(3, 2, 1), folders, batchsize=3)


# -- threads ---------------------------------------------------------------------------


def threads():
    return [t for t in threading.enumerate() if t.name.startswith(THREAD_NAME)]


def wait_for_no_threads():
    end = time.monotonic() + 10
    while threads():
        assert time.monotonic() < end, "threads did not end"
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["close", "collect", "exhaust", "error"])
def test_threads_end_with_the_generator(folders, how):
    wait_for_no_threads()
    iterator = make(ab.UnlabeledImageIterator, folders, epochs=50, cache_budget=0)
    generator = iterator.generate_learned_samples()
    next(generator)
    assert threads()
    if how == "close":
        generator.close()
    elif how == "collect":
        del generator
        gc.collect()
    elif how == "exhaust":
        list(generator)
    else:
        with open(folders[0] + "/000.png", "wb") as file:
            file.write(b"gone")
        with pytest.raises(ValueError, match="ant/000.png"):
            list(generator)
    wait_for_no_threads()


def test_no_thread_begins_where_nothing_is_to_be_decoded(folders):
    iterator = make(ab.UnlabeledImageIterator, folders)
    list(iterator.generate_learned_samples())
    wait_for_no_threads()
    for _ in iterator.generate_learned_samples():
        assert not threads()


def test_nothing_is_decoded_for_a_generator_that_was_closed():
    blocked, go_on = threading.Event(), threading.Event()
    decoded = []

    def decode_many(paths):
        for position, path in enumerate(paths):
            decoded.append(path)
            if path == "5":
                blocked.set()
                assert go_on.wait(10)
            yield position, np.zeros(1, np.uint8)

    store = ImageStore([str(n) for n in range(100)], decode_many, (1,), np.uint8, 0)
    generator = read_ahead(store, ((np.arange(4 * n, 4 * n + 4), n) for n in range(25)), 1)
    arr, number = next(generator)
    assert arr.shape == (4, 1) and number == 0
    assert blocked.wait(10)
    generator.close()
    go_on.set()
    wait_for_no_threads()
    assert decoded == ["0", "1", "2", "3", "4", "5"]


def test_at_most_twice_as_many_mini_batches_as_threads_are_read_ahead():
    def decode_many(paths):
        yield from ((position, np.zeros(1, np.uint8)) for position in range(len(paths)))

    store = ImageStore(["x"] * 50, decode_many, (1,), np.uint8, 0)
    asked = []

    def requests():
        for number in range(50):
            asked.append(number)
            yield np.array([number]), number

    generator = read_ahead(store, requests(), 2)
    assert [next(generator)[1] for _ in range(3)] == [0, 1, 2]
    assert len(asked) == 7
    generator.close()


# -- what goes wrong -------------------------------------------------------------------


def test_directories_that_cannot_be_used_are_named(folders, tmp_path):
    kind = ab.LabeledImageIterator
    (tmp_path / "empty").mkdir()
    write(tmp_path / "train" / ".hidden", [1])
    file = folders[0] + "/000.png"
    for error, text, dir_list in [
        (TypeError, "`dir_list` must be a list of directories, but got '.*Pass a list", folders[0]),
        (TypeError, r"`dir_list\[1\]` must be a `str` or `PathLike`, but got 7", [folders[0], 7]),
        (ValueError, "`dir_list` must have at least one directory", []),
        (FileNotFoundError, "there is no directory '.*/nowhere/'", [str(tmp_path / "nowhere")]),
        (NotADirectoryError, "000.png' is a file. Pass the directory", [file]),
        (NotADirectoryError, "000.png' is a file", [file + "/"]),
        (ValueError, "but has '.*ant/' twice", [folders[0], folders[0] + "/"]),
        (ValueError, "empty/' must hold files of images, but is empty", [str(tmp_path / "empty")]),
        (ValueError, "train/' must hold .* has the directory 'ant' and 2 more.*list each one",
         [str(tmp_path / "train")]),
    ]:  # fmt: skip
        with pytest.raises(error, match=text):
            make(kind, dir_list)
        if dir_list != folders[0]:
            with pytest.raises(error, match=text.replace("`dir_list", "`test_dir_list")):
                make(ab.UnlabeledImageIterator, folders, dir_list)


@pytest.mark.parametrize("thread_n", [0, 2])
def test_a_file_that_is_no_image_is_named(folders, thread_n):
    path = folders[1] + "/notes.txt"
    with open(path, "w") as file:
        file.write("not a picture")
    iterator = make(ab.UnlabeledImageIterator, folders, thread_n=thread_n)
    for generate in (iterator.generate_learned_samples, iterator.generate_inferenced_samples):
        with pytest.raises(ValueError, match="bee/notes.txt' must be an image"):
            list(generate())


def test_a_file_that_vanished_is_named(folders, tmp_path):
    iterator = make(ab.UnlabeledImageIterator, folders)
    (tmp_path / "train" / "cat" / "022.png").unlink()
    with pytest.raises(FileNotFoundError, match="cat/022.png"):
        list(iterator.generate_learned_samples())


def test_images_of_different_shapes_are_named(folders):
    class Varying(NeutralImageExtractor):
        def decode(self, path):
            return np.zeros((1, 2, 3 + path.endswith("011.png")), np.uint8)

    iterator = make(ab.UnlabeledImageIterator, folders, extractor=Varying(3, 2, 1))
    with pytest.raises(ValueError, match=r"011.png' must give an array of the shape \(1, 2, 3\)"):
        list(iterator.generate_learned_samples())


@pytest.mark.parametrize(
    "name, value, error, text",
    [
        ("image_extractor", "x", TypeError, "`image_extractor` must be a `ExtractableData`"),
        ("cache_budget", -1, ValueError, "`cache_budget` must be at least 0"),
        ("thread_n", 1.5, TypeError, "`thread_n` must be an integer"),
        ("seed", -1, ValueError, "`seed` must be at least 0"),
        ("batch_size", 0, ValueError, "`batch_size` must be at least 1"),
        ("norm_mode", "zscore", ValueError, "Did you mean `z_score`"),
        ("ctx", "cpu", TypeError, "`ctx` must be a `Context` or None"),
        ("noiseable_data", 3, TypeError, "`noiseable_data` must be a `NoiseableData` or None"),
    ],
)
def test_arguments_are_checked(folders, name, value, error, text):
    arguments = {"image_extractor": ab.ImageExtractor(3, 2, 1), "dir_list": folders, name: value}
    for kind in (ab.UnlabeledImageIterator, ab.LabeledVideoIterator):
        with pytest.raises(error, match=text):
            kind(**arguments)


# -- sequences -------------------------------------------------------------------------


@pytest.mark.parametrize("seq_len, at_intervals", [(1, 1), (3, 1), (2, 2), (2, 3)])
def test_sequences_are_files_of_one_directory_that_follow_each_other(
    folders, seq_len, at_intervals
):
    folders = [folders[0], folders[2]]
    options = {"seq_len": seq_len, "at_intervals": at_intervals, "batch_size": 2, "epochs": 3}
    wanted = sorted(
        [begin + at_intervals * i for i in range(seq_len)]
        for first, size in ((0, 4), (20, 5))
        for begin in range(first, first + size - at_intervals * (seq_len - 1))
    )
    for kind in (ab.UnlabeledVideoIterator, ab.LabeledVideoIterator):
        iterator = make(kind, folders, **options)
        assert iterator.dataset_size == len(wanted) and iterator.seq_len == seq_len
        seen = []
        for observed_arr, target_arr, test_arr, _ in iterator.generate_learned_samples():
            assert observed_arr.shape == test_arr.shape == (2, seq_len, 1, 2, 3)
            seen += values_of(observed_arr).tolist()
            assert all(row in wanted for row in values_of(test_arr).tolist())
            if kind is ab.LabeledVideoIterator:
                one_hot = np.eye(2)[values_of(observed_arr)[:, 0] // 20]
                np.testing.assert_array_equal(target_arr.asnumpy(), one_hot)
            else:
                assert target_arr is observed_arr
        assert sorted(seen[: len(wanted)]) == wanted

        samples = list(iterator.generate_inferenced_samples())
        rows = np.concatenate([values_of(arr) for _, _, arr, _ in samples])
        assert rows.tolist() == wanted
        paths = [path for sample in samples for path in sample[3]]
        assert [int(path[-7:-4]) for path in paths] == [row[-1] for row in wanted]


def test_each_image_of_a_sequence_is_normalised_by_itself(folders):
    iterator = make(ab.UnlabeledVideoIterator, folders[2:], seq_len=4, norm_mode="min_max")
    observed_arr = next(iterator.generate_learned_samples())[0]
    assert (observed_arr.min(axis=(2, 3, 4)).asnumpy() == 0).all()
    assert (observed_arr.max(axis=(2, 3, 4)).asnumpy() == 1).all()


def test_directories_with_too_few_images_for_a_sequence_are_named(folders):
    with pytest.raises(
        ValueError, match="bee/' must hold at least 5 images for sequences .*holds 3"
    ):
        make(ab.UnlabeledVideoIterator, folders[1:], seq_len=3, at_intervals=2)


# -- with what comes next --------------------------------------------------------------


def test_an_auto_encoder_learns_from_a_folder(folders):
    network = ab.NeuralNetworks(
        computable_loss=ab.L2NormLoss(), units_list=[6], activation_list=["identity"],
        optimizer_name="Adam", learning_rate=0.05,
    )  # fmt: skip

    class Flat(NeutralImageExtractor):
        def decode(self, path):
            return super().decode(path).reshape(6)

    iterator = make(ab.UnlabeledImageIterator, folders, epochs=30, extractor=Flat(3, 2, 1),
                    norm_mode=None, scale=1 / 255)  # fmt: skip
    network.learn(iterator)
    assert network.loss_arr.shape == (30, 2)
    assert network.loss_arr[-1, 0] < network.loss_arr[0, 0] / 3
    wait_for_no_threads()


def test_a_learning_from_a_folder_resumes_bit_for_bit(folders, tmp_path):
    class Flat(NeutralImageExtractor):
        def decode(self, path):
            return super().decode(path).reshape(6)

    class Stop(ab.Callback):
        def on_row_end(self, state):
            if state.row == 4:
                raise RuntimeError("stopped")

    def learn(path, *callbacks):
        ab.seed(5)
        network = ab.NeuralNetworks(
            computable_loss=ab.L2NormLoss(), units_list=[6], activation_list=["tanh"]
        )
        iterator = ab.UnlabeledImageIterator(
            Flat(3, 2, 1), folders, epochs=7, batch_size=5, noiseable_data=ab.GaussNoise(0.0, 0.1)
        )
        network.learn(iterator, callbacks=[ab.Checkpoint(path, every=3, seed=1), *callbacks])
        return [p.data().asnumpy() for p in network.collect_params().values()], network.loss_arr

    whole, losses = learn(tmp_path / "whole")
    with pytest.raises(RuntimeError, match="stopped"):
        learn(tmp_path / "killed", Stop())
    resumed, resumed_losses = learn(tmp_path / "killed")
    np.testing.assert_array_equal(losses, resumed_losses)
    for value, other in zip(whole, resumed):
        np.testing.assert_array_equal(value, other)

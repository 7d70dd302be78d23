"""Files of parameters: MXNet's format, read safely, written whole or not at all."""

import os
import random
import resource
import signal
import struct

import mxnet as mx
import numpy as np
import pytest
from dense_numpy import Batches, assert_same_bits, bits, draw, fill, network
from mxnet import gluon, nd

import accelbrainbase as ab
from accelbrainbase._mxnet.parameter_files import (
    part_of,
    read_parameter_file,
    write_parameter_file,
)

DTYPES = ["float32", "float64", "float16", "uint8", "int32", "int8", "int64", "bool"]


def filled(units=(5, 3), seed=0, **kwargs):
    model = network(list(units), **kwargs)
    model.inference(draw(2, 4))
    fill(model, seed)
    return model


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.params"


# -- the format ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_round_trip_is_that_of_mxnet(dtype, path):
    shapes = {"a": (1,), "b.weight": (3, 4), "ü/名前": (2, 1, 3, 2), "c" * 300: (7,)}
    numbers = {name: draw(*shape, scale=9.0) for name, shape in shapes.items()}
    arrays = {name: nd.array(arr, dtype=dtype) for name, arr in numbers.items()}
    write_parameter_file(path, arrays)
    theirs = nd.load(str(path))
    nd.save(str(path), arrays)
    ours = read_parameter_file(path)
    assert list(ours) == list(theirs) == list(shapes)
    for name, arr in arrays.items():
        for got in (ours[name], theirs[name].asnumpy()):
            assert got.dtype == np.dtype(dtype) and got.shape == shapes[name]
            np.testing.assert_array_equal(got, arr.asnumpy())


def test_shapes_of_numpy_semantics(path):
    with mx.util.np_shape(True):
        arrays = {"scalar": nd.ones(()), "empty": nd.ones((0, 3)), "plain": nd.ones((2, 3))}
        write_parameter_file(path, arrays)
    read = read_parameter_file(path)
    assert {name: arr.shape for name, arr in read.items()} == {
        "scalar": (),
        "empty": (0, 3),
        "plain": (2, 3),
    }
    assert read["scalar"] == 1.0


def test_no_arrays_at_all(path):
    write_parameter_file(path, {})
    assert read_parameter_file(path) == {}


def test_values_survive_exactly(path):
    values = np.array([np.nan, np.inf, -np.inf, -0.0, 1e-45, 3.4e38], dtype=np.float32)
    write_parameter_file(path, {"x": nd.array(values)})
    assert read_parameter_file(path)["x"].tobytes() == values.tobytes()


# -- files of plain Gluon --------------------------------------------------------------


def plain_net():
    net = gluon.nn.HybridSequential()
    net.add(gluon.nn.Dense(5, activation="tanh"), gluon.nn.Dense(3, activation="tanh"))
    net.initialize(mx.init.Normal(0.5))
    return net


def test_plain_gluon_loads_our_files_and_we_load_its(path):
    x, net, model = nd.array(draw(6, 4)), plain_net(), network([5, 3])
    expected = net(x).asnumpy()
    net.save_parameters(str(path))
    model.load_parameters(path)  # before its first forward pass
    np.testing.assert_allclose(model.inference(x).asnumpy(), expected, rtol=1e-6)
    fill(model, seed=2)
    model.save_parameters(path)
    net.load_parameters(str(path))
    np.testing.assert_allclose(net(x).asnumpy(), model.inference(x).asnumpy(), rtol=1e-6)


def normalised(seed=0):
    return filled(seed=seed, hidden_batch_norm_list=[gluon.nn.BatchNorm(), None])


@pytest.mark.parametrize("strip", [False, True])
def test_older_files_are_named_by_parameter(strip, path):
    model = normalised()
    expected = bits(model)
    cut = model.prefix if strip else ""
    nd.save(str(path), {n.replace(cut, "", 1): p.data() for n, p in model.collect_params().items()})
    fill(model, seed=1)
    model.load_parameters(path)
    assert_same_bits(bits(model), expected)


def test_exported_files_load(tmp_path):
    """They have `arg:` and `aux:` before the names, the latter for running statistics."""
    model = normalised()
    expected = bits(model)
    model.inference(draw(2, 4))
    model.export(str(tmp_path / "m"))
    names = list(nd.load(str(tmp_path / "m-0000.params")))
    assert {name[:4] for name in names} == {"arg:", "aux:"}
    fill(model, seed=1)
    model.load_parameters(tmp_path / "m-0000.params")
    assert_same_bits(bits(model), expected)


# -- what is no such file --------------------------------------------------------------


def test_a_file_cut_anywhere(path):
    model = filled()
    model.save_parameters(path)
    whole, before = path.read_bytes(), bits(model)
    for size in range(len(whole)):
        path.write_bytes(whole[:size])
        with pytest.raises(ab.ParameterFileError, match="truncated"):
            model.load_parameters(path)
    assert_same_bits(bits(model), before)


def test_changed_bytes_never_crash_nor_half_change_the_model(path):
    """What is changed in values cannot be noticed; all else raises, and nothing is set."""
    model = filled()
    model.save_parameters(path)
    whole, before = path.read_bytes(), bits(model)
    rng, refused, accepted = random.Random(0), 0, 0
    for trial in range(800):
        changed = bytearray(whole)
        places = [trial] if trial < len(whole) else rng.sample(range(len(whole)), 4)
        for place in places:
            changed[place] = rng.choice(
                [0, 1, 127, 128, 255, changed[place] ^ 1 << rng.randrange(8)]
            )
        path.write_bytes(changed)
        try:
            model.load_parameters(path)
        except ab.ParameterFileError as error:
            assert str(path) in str(error)
            assert_same_bits(bits(model), before)
            refused += 1
        else:
            accepted += 1
            for parameter, arr in zip(model.collect_params().values(), before):
                parameter.set_data(nd.array(arr))
    assert refused > 200 and accepted > 100


def test_changed_bytes_of_small_files(path):
    """Hardly any values, so that almost every change hits the structure."""
    write_parameter_file(path, {"w": nd.ones((1, 2)), "i": nd.ones((2,), dtype="int64")})
    whole, rng = path.read_bytes(), random.Random(0)
    for _ in range(1500):
        changed = bytearray(whole)
        for place in rng.sample(range(len(whole)), rng.randint(1, 6)):
            changed[place] = rng.choice([0, 1, 127, 128, 255, rng.randrange(256)])
        path.write_bytes(changed)
        try:
            read_parameter_file(path)
        except ab.ParameterFileError:
            pass


def head(rank, shape, dtype=0, count=1, magic=0xF993FAC9, storage=0):
    return (
        struct.pack("<QQQIiI", 0x112, 0, count, magic, storage, rank)
        + struct.pack(f"<{len(shape)}q", *shape)
        + struct.pack("<iii", 1, 0, dtype)
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (head(3, (0, 2**62, 2**62)), r"is corrupt: the shape .* of array 0 is impossible"),
        (head(2, (2**62, 2**62)), "is truncated: .* within the values of array 0"),
        (head(1, (-1,)), r"is corrupt: shape \(-1,\) or type 0 of array 0 is impossible"),
        (head(1, (1,), dtype=99), "type 99 of array 0 is impossible"),
        (head(40, (1,)), "the head of array 0 is not that of a dense array"),
        (head(1, (1,), storage=2), "the head of array 0 is not that of a dense array"),
        (head(1, (1,), magic=7), "the head of array 0 is not that of a dense array"),
        (head(1, (1,), count=2**60), "is corrupt: it claims to hold 1152921504606846976 arrays"),
        (head(1, (1,)) + b"abcd" + struct.pack("<QQ", 1, 1) + b"\xff", "a name is not text"),
        (head(1, (1,)) + b"abcd" + struct.pack("<Q", 0), "holds 1 arrays but 0 names"),
        (head(1, (1,)) + b"abcd" + struct.pack("<QQ", 1, 1) + b"wxyz", "3 bytes follow its end"),
    ],
)
def test_impossible_contents_are_named(data, message, path):
    path.write_bytes(data)
    with pytest.raises(ab.ParameterFileError, match=message):
        read_parameter_file(path)


def test_a_name_that_occurs_twice(path):
    write_parameter_file(path, {"a": nd.ones((1,)), "b": nd.ones((1,))})
    path.write_bytes(path.read_bytes()[:-1] + b"a")
    with pytest.raises(ab.ParameterFileError, match="a name occurs twice"):
        read_parameter_file(path)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is truncated: it ends after 0 bytes, within the head"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), r"not a file of parameters: it begins with b'\\x89PNG"),
        (b"PK\x03\x04 a zip file, such as one of PyTorch or NumPy", "not a file of parameters"),
        (b"weights,bias\n1.0,2.0\n", "not a file of parameters"),
    ],
)
def test_foreign_files(data, message, path):
    model = filled()
    before = bits(model)
    path.write_bytes(data)
    with pytest.raises(ab.ParameterFileError, match=message):
        model.load_parameters(path)
    assert_same_bits(bits(model), before)


def test_no_file_and_a_directory(tmp_path):
    model = filled()
    with pytest.raises(FileNotFoundError, match="nothing.params"):
        model.load_parameters(tmp_path / "nothing.params")
    with pytest.raises(IsADirectoryError):
        model.load_parameters(tmp_path)


def test_unnamed_arrays(path):
    nd.save(str(path), [nd.ones((2,))])
    with pytest.raises(ab.ParameterFileError, match="holds 1 arrays but 0 names"):
        filled().load_parameters(path)


# -- files of another model ------------------------------------------------------------


def test_missing_and_extra_names(path):
    small, large = filled((5,)), filled((5, 3), seed=1)
    small.save_parameters(path)
    before = bits(large)
    with pytest.raises(
        ab.ParameterFileError, match="has no 1.weight, 1.bias, which NeuralNetworks has; it has 0.w"
    ):
        large.load_parameters(path)
    assert_same_bits(bits(large), before)
    large.load_parameters(path, allow_missing=True)
    assert_same_bits(bits(large), [*bits(small), *before[2:]])
    large.save_parameters(path)
    with pytest.raises(
        ab.ParameterFileError, match="has 1.weight, 1.bias, which NeuralNetworks has not"
    ):
        small.load_parameters(path)
    small.load_parameters(path, ignore_extra=True)
    assert_same_bits(bits(small), bits(large)[:2])


def test_shape_of_another_model(path):
    filled((5, 2)).save_parameters(path)
    model = filled((5, 3), seed=1)
    before = bits(model)
    message = r"`1.weight` has shape \(2, 5\), but NeuralNetworks has \(3, 5\)"
    for flags in ({}, {"allow_missing": True, "ignore_extra": True}):
        with pytest.raises(ab.ParameterFileError, match=message):
            model.load_parameters(path, **flags)
    assert_same_bits(bits(model), before)
    deferred = network([5, 3])
    with pytest.raises(ab.ParameterFileError, match=r"but NeuralNetworks has \(3, 0\)"):
        deferred.load_parameters(path)
    assert deferred.inference(draw(2, 7)).shape == (2, 3)  # its shapes are still open


def test_rank_of_another_model(path):
    model = filled((5,))
    arrays = {"0.weight": nd.ones((5, 4, 1)), "0.bias": nd.ones((5,))}
    nd.save(str(path), arrays)
    with pytest.raises(ab.ParameterFileError, match=r"has shape \(5, 4, 1\)"):
        model.load_parameters(path)


def test_floats_of_another_width_are_converted_and_integers_refused(path):
    model = filled((5,))
    weight, bias = (draw(5, 4), draw(5))
    for dtype, atol in (("float64", 0), ("float16", 1e-2)):
        nd.save(
            str(path),
            {"0.weight": nd.array(weight, dtype=dtype), "0.bias": nd.array(bias, dtype=dtype)},
        )
        model.load_parameters(path)
        assert bits(model)[0].dtype == np.float32
        np.testing.assert_allclose(bits(model)[0], weight, atol=atol)
    nd.save(str(path), {"0.weight": nd.ones((5, 4), dtype="int32"), "0.bias": nd.ones((5,))})
    with pytest.raises(ab.ParameterFileError, match="`0.weight` has values of type int32"):
        model.load_parameters(path)


# -- writing ---------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["save", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(place, path, monkeypatch):
    model = filled()
    model.save_parameters(path)
    whole = path.read_bytes()

    def fail(filename, *_):
        if place == "save":
            with open(filename, "wb") as stream:
                stream.write(whole[:10])
        raise OSError("No space left on device")

    monkeypatch.setattr(*{"save": (nd, "save"), "replace": (os, "replace")}[place], fail)
    fill(model, seed=1)
    with pytest.raises(OSError, match="No space left"):
        model.save_parameters(path)
    assert path.read_bytes() == whole
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("size", ["nothing", "half", "all but a byte"])
def test_disk_that_is_full_keeps_the_old_file(size, path):
    """A limit on the size of files makes the kernel refuse the write; MXNet may not notice."""
    model = filled()
    model.save_parameters(path)
    whole = path.read_bytes()
    room = {"nothing": 0, "half": len(whole) // 2, "all but a byte": len(whole) - 1}[size]
    fill(model, seed=1)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(OSError, match=f"{path.name} could not be written whole"):
            model.save_parameters(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    assert path.read_bytes() == whole
    assert os.listdir(path.parent) == [path.name]


def test_an_interrupted_write_leaves_nothing(path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(nd, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        filled().save_parameters(path)
    assert os.listdir(path.parent) == []


def test_parameters_without_values_are_not_written(path):
    encoder, decoder = filled((3,)), network([4])
    model = ab.AutoEncoder(encoder, decoder, gluon.loss.L2Loss())
    with pytest.raises(gluon.parameter.DeferredInitializationError):
        model.save_parameters(path)
    assert os.listdir(path.parent) == []  # not even that of the encoder


def test_paths(tmp_path, monkeypatch):
    model = filled()
    monkeypatch.chdir(tmp_path)
    old = os.umask(0o027)
    try:
        model.save_parameters("plain.params")
    finally:
        os.umask(old)
    assert (tmp_path / "plain.params").stat().st_mode & 0o777 == 0o640
    for name in ("without-extension", "mit Leerzeichen ü.params", "a:b.params"):
        model.save_parameters(name)
        filled(seed=1).load_parameters(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        model.save_parameters(tmp_path / "nowhere" / "a.params")


def test_names_of_the_files_of_parts():
    assert part_of("a.params", "encoder") == "a_encoder.params"
    assert part_of("d.x/a.b.params", "encoder") == "d.x/a.b_encoder.params"
    assert part_of("d.x/noext", "decoder") == "d.x/noext_decoder"


# -- devices ---------------------------------------------------------------------------


@pytest.mark.parametrize("ran", [False, True])
def test_loading_onto_another_device(ran, path):
    """`mx.cpu(1)` is a device of its own to MXNet, so this needs no GPU."""

    def make():
        parts = network([5]), network([4])
        return ab.AutoEncoder(*parts, gluon.loss.L2Loss(), optimizer_name="Adam", learning_rate=0.1)

    x, model, other = draw(6, 4), make(), make()
    model.learn(Batches([(x, x)], epochs=3))
    model.save_parameters(path)
    if ran:
        other.learn(Batches([(x, x)], epochs=3))
    other.load_parameters(path, ctx=mx.cpu(1))
    assert other.ctx == other.encoder.ctx == other.decoder.ctx == mx.cpu(1)
    assert all(p.list_ctx() == [mx.cpu(1)] for p in other.collect_params().values())
    for arr in (other.inference(x), other.encode(x), other.feature_points_arr):
        assert arr.context == mx.cpu(1)
    assert_same_bits(bits(other), bits(model))
    other.learn(Batches([(x, x)], epochs=2))
    assert np.isfinite(other.loss_arr).all()
    states = other.trainer._updaters[0].states.values()  # Adam's averages came along
    assert {arr.context for pair in states for arr in pair} == {mx.cpu(1)}
    assert all((one != two).any() for one, two in zip(bits(other), bits(model)))
    other.load_parameters(path, ctx=mx.cpu(0))
    assert_same_bits([other.inference(x).asnumpy()], [model.inference(x).asnumpy()])
    with pytest.raises(TypeError, match="`ctx` must be a `Context`"):
        other.load_parameters(path, ctx="cpu")


def test_loading_into_parameters_that_a_client_moved(path):
    model = filled()
    model.save_parameters(path)
    expected = bits(model)
    fill(model, seed=1)
    model.collect_params().reset_ctx(mx.cpu(1))
    model.load_parameters(path)
    assert_same_bits(bits(model), expected)


def test_loading_what_was_never_initialised(path):
    model = filled()
    model.save_parameters(path)
    for ctx in (None, mx.cpu(0), mx.cpu(1)):
        other = network([5, 3], not_init_flag=True)
        other.load_parameters(path, ctx=ctx)
        assert_same_bits(bits(other), bits(model))
        assert other.inference(draw(2, 4)).context == (ctx or mx.cpu(0))

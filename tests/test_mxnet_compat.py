"""What `accelbrainbase.mxnet_compat` promises, on whatever Python and NumPy the tests run with.

An import happens once in a process, so most tests run a program in a new one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import venv
from pathlib import Path

import pytest

from accelbrainbase.mxnet_compat import _openblas_core

ROOT = Path(__file__).resolve().parent.parent
COMMAND = [sys.executable, "-m", "accelbrainbase.mxnet_compat"]


def run(program, *, python=sys.executable, path=(), arguments=(), **environment):
    """Runs a program in a new process; `path` goes before the tree on the module search path."""
    search_path = os.pathsep.join([*map(str, path), str(ROOT)])
    return subprocess.run(
        [str(python), *arguments, "-c", textwrap.dedent(program)],
        env={**os.environ, "PYTHONPATH": search_path, **environment},
        capture_output=True,
        text=True,
        cwd=Path(sys.executable).parent,
    )


def check(program, **options):
    done = run(program, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


# --- importing the package alone


def test_package_alone_loads_neither_mxnet_nor_numpy():
    check("""
        import sys
        import accelbrainbase
        heavy = {"mxnet", "numpy", "pandas", "sklearn", "matplotlib", "PIL", "safetensors", "tqdm"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
    """)


def test_package_alone_is_imported_in_less_than_200_ms():
    program = """
        import time
        began = time.perf_counter()
        import accelbrainbase
        print(time.perf_counter() - began)
    """
    seconds = min(float(check(program)) for _ in range(3))
    assert seconds < 0.2


# --- the hook


def test_mxnet_is_imported_after_the_package_and_numpy_stays_as_it_was():
    check("""
        import sys
        import numpy as np

        NAMES = (
            "bool int float object Inf PINF NINF NaN NAN PZERO NZERO alltrue sometrue product "
            "round_ msort in1d trapz mirr npv pmt ppmt pv rate"
        ).split()

        def state():
            here = [name in vars(np) for name in NAMES]
            return here, np.get_printoptions(), repr((np.int64(3), np.float32(0.5)))

        before, distutils = state(), "distutils" in sys.modules
        import accelbrainbase
        assert state() == before

        class Spy:  # sees every import that happens while MXNet is imported
            def find_spec(self, name, path=None, target=None):
                assert state() == before, name

        sys.meta_path.insert(0, Spy)
        Spy.find_spec = classmethod(Spy.find_spec)
        import mxnet as mx
        import mxnet.gluon.contrib.estimator
        mx.nd.ones((1,)).asnumpy()
        assert state() == before
        assert ("distutils" in sys.modules) == distutils
    """)


def test_arrays_are_made_without_a_warning_of_scipy():
    pytest.importorskip("scipy")
    check("""
        import warnings
        import accelbrainbase
        import mxnet as mx
        import numpy as np
        import scipy.sparse

        warnings.simplefilter("error")
        assert mx.nd.array([[1, 2]]).asnumpy().tolist() == [[1, 2]]
        sparse = mx.nd.array(scipy.sparse.csr_matrix(np.eye(3)))
        assert sparse.stype == "csr"
        assert (sparse.asnumpy() == np.eye(3)).all()
    """)


@pytest.mark.parametrize(("vendor", "flags", "core"), [
    ("GenuineIntel", "fpu sse2 avx2 fma avx512f amx_tile", "Haswell"),
    ("GenuineIntel", "fpu sse2 fma avx2", "Haswell"),
    ("GenuineIntel", "fpu sse2 avx", None),
    ("AuthenticAMD", "fpu sse2 avx2 fma", None),
])  # fmt: skip
def test_kernels_of_openblas(vendor, flags, core):
    lines = ["processor\t: 0", f"vendor_id\t: {vendor}", "model name\t: a", f"flags\t\t: {flags}"]
    assert _openblas_core(lines) == core
    assert _openblas_core(lines[:2]) is None
    assert _openblas_core(["processor: 0", "Features: fp asimd"]) is None  # not x86


def core_of_openblas(**environment):
    """What MXNet's OpenBLAS chose; it says so when it is loaded, before that of SciPy."""
    done = run(
        """
        import os, sys
        import numpy
        before = os.environ.get("OPENBLAS_CORETYPE")
        print("begin", file=sys.stderr, flush=True)
        import accelbrainbase, mxnet.base
        print("end", file=sys.stderr, flush=True)
        assert os.environ.get("OPENBLAS_CORETYPE") == before
        """,
        OPENBLAS_VERBOSE="2",
        **environment,
    )
    assert done.returncode == 0, done.stderr
    said = done.stderr.partition("begin")[2].partition("end")[0].splitlines()
    return next((line[len("Core: ") :] for line in said if line.startswith("Core: ")), None)


def test_openblas_of_mxnet_is_told_the_processor():
    try:
        core = _openblas_core(Path("/proc/cpuinfo").read_text(encoding="ascii").splitlines())
    except OSError:
        core = None
    if core is None or "OPENBLAS_CORETYPE" in os.environ:
        pytest.skip("OpenBLAS chooses here, or the user has chosen")
    assert core_of_openblas() == core
    assert core_of_openblas(OPENBLAS_CORETYPE="Prescott") == "Prescott"  # the user's choice


def test_several_threads_may_import_mxnet_at_once():
    check("""
        import threading
        import accelbrainbase
        done = []

        def work():
            import mxnet
            done.append(mxnet.nd.ones((2, 3)).shape)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert done == [(2, 3)] * 4, done
    """)


def test_hook_is_installed_once_and_survives_a_reload():
    check("""
        import importlib, sys
        import accelbrainbase
        from accelbrainbase import mxnet_compat

        def hooks():
            return [f for f in sys.meta_path if hasattr(f, "is_accelbrainbase_mxnet_hook")]

        meta_path = sys.meta_path
        mxnet_compat.install_hook()
        assert len(hooks()) == 1
        importlib.reload(mxnet_compat).install_hook()
        assert len(hooks()) == 1 and sys.meta_path is meta_path
        import mxnet
    """)


def test_find_spec_and_reload_and_source_work_as_ever():
    check("""
        import copy, importlib, importlib.util, inspect, pickle, sys
        import accelbrainbase
        spec = importlib.util.find_spec("mxnet")
        assert "mxnet" not in sys.modules and "numpy" not in sys.modules
        assert spec.origin.endswith("__init__.py") and spec.submodule_search_locations
        assert "__version__" in spec.loader.get_source("mxnet")
        copy.copy(spec.loader)
        import mxnet as mx
        assert type(mx.__loader__).__name__ == "SourceFileLoader"
        assert mx.__spec__.loader is mx.__loader__
        assert "alltrue" in inspect.getsource(mx.numpy.fallback)
        importlib.reload(mx.recordio)
        importlib.reload(mx)
        array = pickle.loads(pickle.dumps(mx.nd.ones((2,))))
        assert array.asnumpy().tolist() == [1, 1]
        assert importlib.util.find_spec("mxnet.no_such_module") is None
    """)


def test_mxnet_that_was_imported_before_is_repaired_afterwards():
    # As on NumPy 1.23, or after somebody else's repair: here, one by hand.
    check("""
        import sys, types, warnings
        import numpy as np
        warnings.simplefilter("ignore")
        added = [
            name
            for name, value in {
                "bool": np.bool_, "PZERO": 0.0, "NZERO": -0.0, "PINF": np.inf, "NINF": -np.inf,
                "NAN": np.nan, "NaN": np.nan, "Inf": np.inf, "alltrue": np.all,
                "sometrue": np.any, "product": np.prod, "round_": np.round, "in1d": np.isin,
                "msort": np.sort, "trapz": None, "mirr": 0, "npv": 0, "pmt": 0, "ppmt": 0,
                "pv": 0, "rate": 0,
            }.items()
            if not hasattr(np, name) and not setattr(np, name, value)
        ]
        if sys.version_info >= (3, 12):
            Version = type("Version", (str,), {})
            version = types.SimpleNamespace(StrictVersion=Version, LooseVersion=Version)
            sys.modules["distutils"] = types.ModuleType("distutils")
            sys.modules["distutils.version"] = version
        import mxnet as mx
        import mxnet.gluon.contrib.estimator
        for name in added:
            delattr(np, name)
        import accelbrainbase
        assert mx.nd.zeros((np.int64(2), 3)).shape == (2, 3)
        assert mx.np.pad(mx.np.ones((2, 2)), ((1, 1), (1, 1))).shape == (4, 4)
        header = mx.recordio.IRHeader(0, [1.0, 2.0], 7, 0)
        assert mx.recordio.unpack(mx.recordio.pack(header, b"x"))[0].label.tolist() == [1, 2]
        mx.gluon.contrib.estimator.StoppingHandler
        mx.gluon.contrib.estimator.event_handler.LoggingHandler()
    """)


# --- what is broken in MXNet on newer NumPy without help


@pytest.fixture(scope="module")
def mx():
    from accelbrainbase.mxnet_compat import import_mxnet

    return import_mxnet()


def test_sizes_may_be_numpy_integers(mx):
    np = pytest.importorskip("numpy")
    x = mx.nd.ones((2, 3))
    for net in (
        mx.gluon.nn.Dense(np.int64(8)),
        mx.gluon.nn.Dense(np.int32(8), in_units=np.int64(3)),
    ):
        net.initialize()
        assert net(x).shape == (2, 8)
        net.hybridize()
        assert net(x).shape == (2, 8)
    convolution = mx.gluon.nn.Conv2D(np.int64(4), (np.int64(3), np.int64(3)))
    convolution.initialize()
    assert convolution(mx.nd.ones((1, 1, 5, 5))).shape == (1, 4, 3, 3)
    lstm = mx.gluon.rnn.LSTM(np.int64(4), num_layers=np.int64(2))
    lstm.initialize()
    assert lstm(mx.nd.ones((3, 2, 5))).shape == (3, 2, 4)
    assert mx.nd.zeros((np.int64(2), 3)).shape == (2, 3)
    assert mx.nd.random.uniform(shape=[np.int64(2), 3]).shape == (2, 3)
    symbol = mx.sym.Variable("x", shape=(np.int64(2), 3))
    assert symbol.attr("__shape__") == "(2, 3)"
    assert "np." not in mx.sym.reshape(symbol, shape=(np.int64(3), np.int64(2))).tojson()
    mx.sym.relu(symbol).optimize_for("MKLDNN")  # says isinstance(backend, str)


def test_orthogonal_initialisation_gives_orthogonal_rows(mx):
    np = pytest.importorskip("numpy")
    net = mx.gluon.nn.Dense(4, in_units=6)
    net.initialize(mx.init.Orthogonal(scale=1.0))
    weight = net.weight.data().asnumpy()
    np.testing.assert_allclose(weight @ weight.T, np.eye(4), atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "lamb"])
def test_optimizers_take_numpy_floats(mx, optimizer):
    np = pytest.importorskip("numpy")
    net = mx.gluon.nn.Dense(4, in_units=3)
    net.initialize()
    before = net.weight.data().asnumpy()
    settings = {"wd": np.float64(1e-3), "learning_rate": np.float64(1e-2)}
    trainer = mx.gluon.Trainer(net.collect_params(), optimizer, settings)
    with mx.autograd.record():
        loss = (net(mx.nd.ones((2, 3))) ** 2).mean(axis=1)
    loss.backward()
    trainer.step(2)
    assert (net.weight.data().asnumpy() != before).any()


def test_parameters_are_written_as_numpy_1_wrote_them():
    from accelbrainbase.mxnet_compat import _parameter_text

    np = pytest.importorskip("numpy")
    assert _parameter_text((np.int64(2), 3)) == "(2, 3)"
    assert _parameter_text((np.int64(2),)) == "(2,)"
    assert _parameter_text([np.float32(0.1), np.float64(0.1)]) == "[0.1, 0.1]"
    assert _parameter_text(((np.int64(1), 2), [np.bool_(True)])) == "((1, 2), [True])"
    assert _parameter_text((np.str_("np.a"), "np.b", None)) == "('np.a', 'np.b', None)"
    for value in (3, 0.1, "np.a", None, (), (1,), (1, 2), [1], ["np.a"], np.int64(3)):
        assert _parameter_text(value) == str(value)


def test_numpy_interface_of_mxnet_works(mx):
    np = pytest.importorskip("numpy")
    x = mx.np.array([1.0, -1.0, 2.0])
    x[x < 0] = 5
    assert x.asnumpy().tolist() == [1, 5, 2]
    assert x[True].shape == (1, 3)
    assert mx.np.pad(mx.np.ones((2, 2)), ((1, 1), (1, 1))).shape == (4, 4)
    assert float(mx.np.trapz(x)) == 6.5
    assert mx.np.in1d(x, mx.np.array([5.0])).asnumpy().tolist() == [False, True, False]
    assert mx.np.PINF == np.inf and mx.np.bool is not None
    for function in (np.any, np.mean, np.prod, np.round):  # NumPy hands over to MXNet
        assert isinstance(function(x), mx.np.ndarray)
    assert mx.nd.moveaxis(mx.nd.ones((2, 3)), 0, 1).shape == (3, 2)
    if np.lib.NumpyVersion(np.__version__) >= "1.20.0":
        with pytest.raises((NotImplementedError, RuntimeError)):
            mx.np.npv(0.1, [1.0])


def test_records_with_several_labels_can_be_packed(mx):
    header = mx.recordio.IRHeader(0, [1.0, 2.0, 3.0], 7, 0)
    unpacked, content = mx.recordio.unpack(mx.recordio.pack(header, b"abc"))
    assert unpacked.label.tolist() == [1, 2, 3] and unpacked.id == 7 and content == b"abc"
    unpacked, content = mx.recordio.unpack(mx.recordio.pack((0, 4, 7, 0), b"abc"))
    assert unpacked.label == 4 and content == b"abc"


def test_estimator_can_be_imported(mx):
    from mxnet.gluon.contrib.estimator import EarlyStoppingHandler, LoggingHandler

    assert LoggingHandler().priority == float("inf")
    handler = EarlyStoppingHandler(mx.metric.Accuracy(), mode="max")
    handler.train_begin(None)
    assert handler.best == -float("inf")


# --- what a user reads if it cannot work


IMPORT = """
    from accelbrainbase.mxnet_compat import MXNetImportError, import_mxnet
    try:
        import_mxnet()
    except MXNetImportError as error:
        assert isinstance(error, ImportError)
        print(error)
    else:
        raise SystemExit("no error")
"""


def write_package(folder, name, source):
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(textwrap.dedent(source))


def without_site_packages(tmp_path, program, **files):
    for name, source in files.items():
        write_package(tmp_path, name, source)
    return run(program, path=[tmp_path], arguments=["-S"])


def test_missing_mxnet(tmp_path):
    done = without_site_packages(tmp_path, IMPORT)
    assert done.stdout.startswith("MXNet is not installed.\nThis is Python 3."), done.stderr
    assert "Combinations that work:" in done.stdout
    assert 'pip install --no-deps "mxnet==1.9.1"' in done.stdout


def test_missing_mxnet_keeps_pythons_own_error_for_a_plain_import(tmp_path):
    done = without_site_packages(tmp_path, "import accelbrainbase, mxnet")
    assert "ModuleNotFoundError: No module named 'mxnet'" in done.stderr


def test_missing_numpy(tmp_path):
    done = without_site_packages(tmp_path, IMPORT, mxnet="import numpy")
    assert done.stdout.startswith("MXNet needs NumPy, which is not installed."), done.stderr


def test_numpy_too_old(tmp_path):
    done = without_site_packages(tmp_path, IMPORT, mxnet="", numpy="__version__ = '1.16.6'")
    assert done.stdout.startswith("NumPy 1.16.6 is too old: 1.19 or newer is needed."), done.stderr
    assert "with NumPy 1.16.6." in done.stdout


def test_numpy_too_new_for_what_is_known(tmp_path):
    # The plain import gets the same error: MXNet's own would not say what to do.
    for program in (IMPORT, IMPORT.replace("import_mxnet()", "import accelbrainbase, mxnet")):
        folder = tmp_path / str(len(program))
        folder.mkdir()
        done = without_site_packages(
            folder,
            program,
            mxnet="import numpy\nnumpy.something",
            numpy="__version__ = '9.0.0'",
        )
        assert done.stdout.startswith(
            "MXNet failed while it was imported: module 'numpy' has no attribute 'something'"
        ), done.stderr
        assert "with NumPy 9.0.0." in done.stdout and "Combinations that work" in done.stdout


def test_other_missing_package_is_named(tmp_path):
    files = {"mxnet": "import requests", "numpy": "__version__ = '2.4.0'"}
    done = without_site_packages(tmp_path, IMPORT, **files)
    assert done.stdout.startswith(
        "MXNet needs the package 'requests', which is not installed. "
        "Type: python -m pip install requests"
    ), done.stderr
    done = run("import accelbrainbase, mxnet", path=[tmp_path], arguments=["-S"])
    assert "ModuleNotFoundError: No module named 'requests'" in done.stderr


def test_library_that_cannot_be_loaded(tmp_path):
    files = {"mxnet": "raise OSError('libmxnet.so: no')", "numpy": "__version__ = '2.4.0'"}
    done = without_site_packages(tmp_path, IMPORT, **files)
    assert done.stdout.startswith("MXNet is installed but cannot be loaded: libmxnet.so: no"), (
        done.stderr
    )


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("__version__ = '2.0.0'", "MXNet 2.0.0 is installed, but 1.9.1 is needed"),
        ("", "`import mxnet` found something that is not MXNet: "),
    ],
)
def test_other_mxnet(tmp_path, source, message):
    done = without_site_packages(tmp_path, IMPORT, mxnet=source, numpy="__version__ = '2.4.0'")
    assert done.stdout.startswith(message), done.stderr


def test_folder_named_mxnet_is_not_mxnet(tmp_path):
    (tmp_path / "mxnet").mkdir()
    done = without_site_packages(tmp_path, IMPORT)
    assert done.stdout.startswith("`import mxnet` found something that is not MXNet: "), done.stderr


# --- the command line


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """Python of a new virtual environment that sees all that this one has; nothing is installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    site_packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_paths()['purelib'])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    here = [path for path in sys.path if path.endswith("-packages")]
    (Path(site_packages) / "here.pth").write_text("\n".join(here) + "\n")
    return python


def command(python, word):
    done = subprocess.run(
        [python, "-m", "accelbrainbase.mxnet_compat", *word.split()],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert "Warning" not in done.stderr, done.stderr
    return done


def test_enable_and_disable(environment):
    def plain_import(**options):
        return run("import mxnet.gluon", python=environment, **options)

    start_up_file = next(environment.parent.parent.rglob("here.pth")).with_name(
        "accelbrainbase-mxnet.pth"
    )
    numpy = run("import numpy; print(numpy.__version__)", python=environment).stdout
    before = plain_import()
    if tuple(map(int, numpy.split(".")[:2])) >= (1, 24):
        assert before.returncode != 0

    assert command(environment, "disable").stdout == f"Not enabled: there is no {start_up_file}\n"
    done = command(environment, "enable")
    assert done.returncode == 0 and done.stdout.startswith(f"Enabled: {start_up_file}\n")
    text = start_up_file.read_text()
    done = command(environment, "enable")
    assert done.returncode == 0 and done.stdout == f"Already enabled: {start_up_file}\n"
    assert start_up_file.read_text() == text
    assert [path.name for path in start_up_file.parent.glob("accelbrainbase*")] == [
        start_up_file.name
    ]

    after = plain_import()
    assert after.returncode == 0, after.stderr
    check(
        """
        import site, sys
        for folder in site.getsitepackages():  # processed twice
            site.addsitedir(folder)
        site.main()
        hooks = [f for f in sys.meta_path if hasattr(f, "is_accelbrainbase_mxnet_hook")]
        assert len(hooks) == 1
        assert not {"accelbrainbase", "mxnet", "numpy"} & set(sys.modules)
        import accelbrainbase
        hooks = [f for f in sys.meta_path if hasattr(f, "is_accelbrainbase_mxnet_hook")]
        assert len(hooks) == 1
        """,
        python=environment,
    )
    status = command(environment, "status")
    assert status.returncode == 0 and "yes" in status.stdout and "fails" not in status.stdout

    start_up_file.write_text("# of another version\n")
    assert command(environment, "enable").stdout.startswith("Enabled:")
    assert start_up_file.read_text() == text

    done = command(environment, "disable")
    assert done.returncode == 0 and done.stdout == f"Disabled: removed {start_up_file}\n"
    assert not start_up_file.exists()
    assert plain_import().returncode == before.returncode


def test_start_up_file_is_harmless_without_the_package(tmp_path):
    from accelbrainbase.mxnet_compat.__main__ import _FILE_TEXT

    (tmp_path / "accelbrainbase-mxnet.pth").write_text(_FILE_TEXT)
    write_package(tmp_path, "mxnet", "works = True")
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import site; site.addsitedir({str(tmp_path)!r}); import mxnet; print(mxnet.works)\n"
            "import importlib.util as u; assert u.find_spec('accelbrainbase') is None\n",
        ],
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True\n" and done.stderr == ""


def test_status_tells_what_fails_and_what_to_do():
    done = subprocess.run(
        [*COMMAND, "status"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("Python", "NumPy", "MXNet", "enabled", "plain `import mxnet`"):
        assert word in done.stdout
    if "fails" in done.stdout:
        assert "python -m accelbrainbase.mxnet_compat enable" in done.stdout


def test_status_fails_where_mxnet_cannot_be_imported(tmp_path):
    folder = tmp_path / "empty"
    venv.create(folder, with_pip=False)
    done = command(folder / "bin" / "python", "status")
    assert done.returncode == 1
    assert "MXNet is not installed." in done.stdout and "Combinations that work" in done.stdout


def test_site_packages_that_cannot_be_written(monkeypatch, capsys, tmp_path):
    from accelbrainbase.mxnet_compat import __main__ as command_line

    monkeypatch.setattr(command_line, "start_up_file", lambda: tmp_path / "missing" / "a.pth")
    assert command_line.main(["enable"]) == 1
    assert "error: cannot write" in capsys.readouterr().err
    (tmp_path / "a.pth").mkdir()
    monkeypatch.setattr(command_line, "start_up_file", lambda: tmp_path / "a.pth")
    assert command_line.main(["disable"]) == 1
    assert "error: cannot remove" in capsys.readouterr().err


def test_unknown_command_gets_the_usage(environment):
    for word in ("", "install"):
        done = command(environment, word)
        assert (
            done.returncode == 2 and "usage: python -m accelbrainbase.mxnet_compat" in done.stderr
        )

"""Files of parameters that 1.1.0 saved load where the architecture is the same.

`files_of_1_1_0/write_files.py` wrote them with the published 1.1.0, and `outputs.npz`, what it
inferred by them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import accelbrainbase as ab

FOLDER = Path(__file__).parent / "files_of_1_1_0"
sys.path.insert(0, str(FOLDER))

import models_of_1_1_0 as models  # noqa: E402

OUTPUTS = np.load(FOLDER / "outputs.npz")
# What such a file needs to give the same numbers: see docs/migration.md.
KEYWORDS = dict.fromkeys(
    (
        models.lstm,
        models.lstm_without_output_layer,
        models.lstm_with_output_nn,
        models.encoder_decoder,
    ),
    {"peephole_flag": True, "input_adjusted_flag": True},
)
KEYWORDS[models.transformer] = {"filter_dim": 4}
KEYWORDS[models.transforming_auto_encoder] = {"filter_dim": 4}
KEYWORDS[models.transformer_of_other_width] = {"filter_dim": 6}
# The parameters are the same, the mathematics is not; and what the file has not.
OTHER_MATHEMATICS = {
    models.boltzmann_machine: ["visible_bias"],
    models.contractive_cae: [],  # 1.1.0 added the penalty to the reconstruction
    models.repelling_cae: [],
    models.transformer: [],  # heads, masks
    models.transformer_of_other_width: ["hidden_fc."],
    models.transforming_auto_encoder: [],
}
OTHER_ARCHITECTURE = [
    models.ladder_networks,  # its layers have no biases, and there are combinators
    models.mobilenet,  # its convolutions were not depthwise
]
SAME = [f for f in models.INPUTS if f not in OTHER_MATHEMATICS and f not in OTHER_ARCHITECTURE]


def path_of(build):
    return str(FOLDER / f"{build.__name__}.params")


def outputs_of_1_1_0(build):
    names = [f"{build.__name__}.{i}" for i in range(3)]
    return [OUTPUTS[name] for name in names if name in OUTPUTS]


@pytest.mark.parametrize("known_shapes", [False, True])
@pytest.mark.parametrize("build", SAME, ids=lambda build: build.__name__)
def test_a_file_gives_what_1_1_0_inferred(build, known_shapes):
    arr = models.INPUTS[build]
    model = build(**KEYWORDS.get(build, {}))
    if known_shapes:
        models.infer(model, arr)
    model.load_parameters(path_of(build))
    wanted = outputs_of_1_1_0(build)
    got = models.infer(model, arr)
    assert len(got) == len(wanted) > 0
    for i, output in enumerate(wanted):
        assert output.std() > 1e-3
        np.testing.assert_allclose(got[i], output, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("build", OTHER_MATHEMATICS, ids=lambda build: build.__name__)
def test_parameters_of_models_that_compute_otherwise_now(build):
    """Each array of the file is a parameter; only what is new keeps its initial value."""
    new = OTHER_MATHEMATICS[build]
    model = build(**KEYWORDS.get(build, {}))
    models.infer(model, models.INPUTS[build])
    if new:
        with pytest.raises(ab.ParameterFileError, match="allow_missing"):
            model.load_parameters(path_of(build))
    before = {name: arr.asnumpy() for name, arr in arrays_of(model).items()}
    model.load_parameters(path_of(build), allow_missing=bool(new))
    for name, arr in arrays_of(model).items():
        is_new = any(text in name for text in new)
        assert np.array_equal(arr.asnumpy(), before[name]) == is_new, name
    for output in models.infer(model, models.INPUTS[build]):
        assert np.isfinite(output).all()


def arrays_of(model):
    files = model._files("a.params")
    return {
        f"{path}:{name}": arr
        for path, learner in files
        for name, arr in learner._to_store(deduplicate=True).items()
    }


@pytest.mark.parametrize("build", OTHER_ARCHITECTURE, ids=lambda build: build.__name__)
def test_files_of_another_architecture_are_refused(build):
    model = build()
    models.infer(model, models.INPUTS[build])
    before = models.infer(model, models.INPUTS[build])
    with pytest.raises(ab.ParameterFileError, match="Build the model as the saved one was"):
        model.load_parameters(path_of(build))
    for got, output in zip(models.infer(model, models.INPUTS[build]), before):
        np.testing.assert_array_equal(got, output)


def test_a_numbered_entry_with_other_values_is_no_second_name(tmp_path):
    """1.1.0 wrote some layers of attention twice; only equal arrays are one layer."""
    from mxnet import nd

    arrays = nd.load(path_of(models.transformer).replace(".params", "_encoder.params"))
    arrays["3.6.weight"] = arrays["3.6.weight"] + 1.0
    path = str(tmp_path / "a.params")
    nd.save(path, arrays)
    with pytest.raises(ab.ParameterFileError, match=r"has 3\.6\.weight, which"):
        models.transformer(filter_dim=4).encoder.load_parameters(path)

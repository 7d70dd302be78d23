"""Numbers in pandas objects, wherever data come in; and other things at the door."""

import numpy as np
import pandas as pd
import pytest

import accelbrainbase as ab

EXPECTED = np.array([[1.5, 1, 3], [2, 0, -4]], dtype=np.float32)
FRAME = pd.DataFrame({"a": [1.5, 2.0], "b": [True, False], "c": [3, -4]})
NULLABLE = pd.DataFrame(
    {"a": [1.5, 2.0], "b": [True, False], "c": pd.array([3, -4], dtype="Int64")}
)


def copier():
    model = ab.NeuralNetworks(ab.L2NormLoss(), units_list=[3], activation_list=["identity"])
    model.inference(EXPECTED)
    for name, parameter in model.collect_params().items():
        parameter.set_data(np.eye(3) if name.endswith("weight") else np.zeros(3))
    return model


@pytest.mark.parametrize("data", [FRAME, NULLABLE, EXPECTED.tolist()])
def test_what_is_learned_from_can_be_inferred_from(data):
    iterator = ab.ArrayIterator(data, epochs=1, shuffle=False)
    (observed, *_), *_ = iterator.generate_learned_samples()
    np.testing.assert_array_equal(observed.asnumpy(), EXPECTED)
    np.testing.assert_array_equal(copier().inference(data).asnumpy(), EXPECTED)


@pytest.mark.parametrize(
    "data", [[["1", "2", "3"]], np.array([[1, 2, None]], dtype=object), FRAME.assign(c=["x", "y"])]
)
def test_what_is_no_number_is_refused(data):
    with pytest.raises(TypeError, match="`observed` must hold numbers"):
        ab.ArrayIterator(data)
    with pytest.raises(TypeError, match="`observed_arr` must be an array of numbers"):
        copier().inference(data)


def test_a_file_in_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no directory `.*nowhere`"):
        copier().save_parameters(tmp_path / "nowhere" / "model.params")


def test_a_callback_alone_is_no_list_of_callbacks():
    with pytest.raises(TypeError, match=r"`callbacks` must be a list.*\[EarlyStopping\(…\)\]"):
        copier().learn(ab.ArrayIterator(EXPECTED), callbacks=ab.EarlyStopping())

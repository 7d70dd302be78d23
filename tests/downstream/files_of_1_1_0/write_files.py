"""Writes the files of this folder with 1.1.0. Needs an environment of its own:

    python3.11 -m venv old
    old/bin/pip install mxnet==1.9.1 numpy==1.23.5 accel-brain-base==1.1.0
    MXNET_MKLDNN_ENABLED=0 MXNET_STORAGE_FALLBACK_LOG_VERBOSE=0 old/bin/python write_files.py

One or more `<model>*.params` a model, and `outputs.npz`: what each of them inferred.
"""

import sys
from pathlib import Path

import mxnet as mx
import numpy as np

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import models_of_1_1_0 as models  # noqa: E402


def randomise(model):
    """Give each parameter values of its own; biases and running statistics have none at first."""
    state = np.random.RandomState(3)
    for name, parameter in model.collect_params().items():
        value = state.normal(0.0, 0.4, parameter.shape)
        parameter.set_data(mx.nd.array(abs(value) + 0.5 if name.endswith("var") else value))


def main():
    for path in FOLDER.glob("*.params"):
        path.unlink()
    outputs = {}
    for build, arr in models.INPUTS.items():
        name = build.__name__
        mx.random.seed(5)
        try:
            model = build()
            models.infer(model, arr)  # shapes are known from here on
            randomise(model)
            if name.endswith("_tied"):
                model.regularize()  # what ties them
            for i, output in enumerate(models.infer(model, arr)):
                outputs[f"{name}.{i}"] = output
            model.save_parameters(str(FOLDER / f"{name}.params"))
        except Exception as error:  # noqa: BLE001 - not every model of 1.1.0 runs
            print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0][:150]}")
    np.savez_compressed(FOLDER / "outputs.npz", **outputs)


if __name__ == "__main__":
    main()

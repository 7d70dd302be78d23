"""Subclasses whose `collect_params` adds networks that are no part of their graph."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from mxnet import autograd, nd

import accelbrainbase as ab


def network(units, activation="relu"):
    return ab.NeuralNetworks(
        computable_loss=ab.L2NormLoss(),
        units_list=[units],
        activation_list=[activation],
        dropout_rate_list=[0.0],
    )


class TwoModalities(ab.DiscriminativeModel):
    """As libraries for 1.1.0 do it: a list of networks, which Gluon does not register."""

    def __init__(self, model_list, model, **kwargs):
        self.init_deferred_flag = True
        super().__init__(model=model, **kwargs)
        self.model_list = model_list
        self.init_deferred_flag = False
        self.initialize_parameters()

    def collect_params(self, select=None):
        params = self.model.collect_params(select)
        for model in self.model_list:
            params.update(model.collect_params(select))
        return params


@pytest.mark.parametrize("hybridize", [False, True])
def test_networks_beside_the_graph_learn_with_it(hybridize):
    judge = TwoModalities([network(3), network(2)], network(1, "sigmoid"), learning_rate=0.5)
    judge.hybridize(hybridize)
    picture_arr, text_arr = nd.random.normal(shape=(6, 5)), nd.random.normal(shape=(6, 4))

    def judged():
        parts = [m(x) for m, x in zip(judge.model_list, (picture_arr, text_arr))]
        return judge.inference(nd.concat(*parts, dim=1))

    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Gluon warns of parameters that a graph does not use
        assert judged().shape == (6, 1)
    assert len(judge.collect_params().keys()) == 6
    assert "collect_params" not in vars(judge)
    before = {name: arr.asnumpy() for name, arr in judge.extract_learned_dict().items()}
    with autograd.record():
        loss_arr = nd.square(judged() - 1.0).mean(axis=1)
    judge.update(loss_arr, 6, judge.trainer)
    for name, arr in judge.extract_learned_dict().items():
        assert np.any(arr.asnumpy() != before[name]), name

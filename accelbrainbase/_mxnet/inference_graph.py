"""The graph of an inference, to count or change its operators."""

from __future__ import annotations

import json
import math
import warnings
from contextlib import nullcontext
from typing import Any

from mxnet import autograd, nd, sym
from mxnet.gluon import HybridBlock

from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.features import FeatureBlock, graphs_for_inference


def inference_graph(block: HybridBlock, observed_arr: nd.NDArray) -> tuple[Any, Any]:
    """Return the graph by which a block computes its output.

    Args:
        block: Takes one input.
        observed_arr: Data points.

    Returns:
        The symbols of the input and of the output. Those of parameters have their names.

    Raises:
        TypeError: If `block` is no `HybridBlock`.
    """
    check_is_a("block", block, HybridBlock)
    active = block._active
    block._active = True
    try:
        with autograd.pause(train_mode=False), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that parts which only learning needs are not used
            # Other blocks have one graph, by which they learn too.
            with graphs_for_inference() if isinstance(block, FeatureBlock) else nullcontext():
                block(observed_arr)
        inputs, outputs = block._cached_graph
    finally:
        block._active = active
        if not active:
            block._clear_cached_op()
    return inputs[0], outputs[0]  # behind the first output are features


def multiply_adds(block: HybridBlock, observed_arr: nd.NDArray) -> int:
    """Count the multiplications, each with an addition, of one inference.

    Those of convolutions, transposed ones too, and of dense layers count; biases, normalisation,
    activations and pooling do not (as in Sandler et al. 2018, section 6).

    Args:
        block: Takes one input, for instance a model.
        observed_arr: One data point, shape `(1, *features)`; of more, all are counted.

    Returns:
        The number.

    Raises:
        ValueError: If there are products of another kind, such as those of recurrent layers.
    """
    observed, output = inference_graph(block, observed_arr)
    nodes = json.loads(output.tojson())["nodes"]
    for node in nodes:
        if node["op"] in ("RNN", "dot", "batch_dot") or "linalg" in node["op"]:
            raise ValueError(
                f"`block` has a product of another kind, `{node['op']}`, which is not counted."
            )
    internals = output.get_internals()
    _, shapes, _ = internals.infer_shape(**{observed.name: observed_arr.shape})
    shape_of = dict(zip(internals.list_outputs(), shapes))

    def shape(entry: list[int]) -> tuple[int, ...]:
        node = nodes[entry[0]]
        name = node["name"]
        return tuple(shape_of.get(name) or shape_of[f"{name}_output"])

    total = 0
    for node in nodes:
        if node["op"] in ("Convolution", "FullyConnected"):
            # Each number that comes out is a product with one row of the weight.
            out, weight = shape_of[f"{node['name']}_output"], shape(node["inputs"][1])
            total += math.prod(out) * math.prod(weight[1:])
        elif node["op"] == "Deconvolution":
            total += math.prod(shape(node["inputs"][0])) * math.prod(shape(node["inputs"][1])[1:])
    return total


def with_limited_units(symbol: Any) -> Any:
    """Return the graph with min(relu(x), limit) as one operator, as oneDNN can fuse it.

    Learning computes ReLU6 by two operators, see `accelbrainbase._mxnet.activations.relu_up_to`.

    Args:
        symbol: The output.
    """
    graph = json.loads(symbol.tojson())
    nodes = graph["nodes"]
    for node in nodes:
        if node["op"] == "clip" and float(node["attrs"]["a_min"]) == 0.0:
            before = nodes[node["inputs"][0][0]]
            if before["op"] == "Activation" and before["attrs"]["act_type"] == "relu":
                node["inputs"] = before["inputs"]  # max(x, 0) is in the clip too
    return sym.load_json(json.dumps(graph))

"""A step of learning of a ladder network: 784-1000-500-250-250-250-10, 100 + 100 images, Adam."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.ours import learns

TITLE = "ladder network 784-1000-500-250-250-250-10, step"
WARM_UP, REPEAT = 5, 20
GOALS = {"torch_eager": 1.0}

BATCH, UNITS = 100, (1000, 500, 250, 250, 250, 10)
WEIGHTS = (1000.0, 10.0, 0.1, 0.1, 0.1, 0.1, 0.1)


def data(n: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Noise in [0, 1], and classes of which the first 100 are known."""
    generator = np.random.default_rng(0)
    target = np.full(n * BATCH, -1)
    target[:BATCH] = np.arange(BATCH) % 10
    return generator.random((n * BATCH, 784), dtype=np.float32), target


def ours() -> Callable[[int], None]:
    """This library, through `learn`, with all that it does beside the step."""
    import accelbrainbase as ab

    # isort: split
    from mxnet import gluon

    loss = gluon.loss.SoftmaxCrossEntropyLoss(sparse_label=False)
    encoder = ab.NeuralNetworks(
        loss, units_list=list(UNITS), activation_list=["relu"] * 5 + ["softmax"]
    )
    decoder = ab.NeuralNetworks(loss, units_list=[*UNITS[-2::-1], 784])
    model = ab.LadderNetworks(
        encoder, decoder, gluon.loss.L2Loss(weight=2.0), supervised_loss=loss,
        denoising_weight_list=WEIGHTS, optimizer_name="Adam", learning_rate=2e-3,
    )  # fmt: skip
    iterator = ab.SemiSupervisedIterator(*data(), batch_size=BATCH, epochs=1, seed=0)
    return learns(model, iterator)


def torch_eager() -> Callable[[int], None]:  # noqa: C901
    """PyTorch, as a user would write it: the same paths, costs and running statistics."""
    import torch
    from torch import nn
    from torch.nn import functional as f

    torch.set_num_threads(1)
    widths = (784, *UNITS)
    top = len(UNITS)

    def weights(sizes: list[tuple[int, int]]) -> nn.ParameterList:
        return nn.ParameterList(torch.randn(n, m) / m**0.5 for m, n in sizes)

    encoder = weights(list(zip(widths, widths[1:])))
    decoder = weights(list(zip(widths[:0:-1], widths[-2::-1])))
    gammas = nn.ParameterList(torch.ones(width) for width in UNITS)
    betas = nn.ParameterList(torch.zeros(width) for width in UNITS)
    combinators = nn.ParameterList()
    for width in widths:
        a = torch.zeros(10, width)
        a[1] = a[6] = 1.0
        combinators.append(a)
    parameters = [*encoder, *decoder, *gammas, *betas, *combinators]
    optimizer = torch.optim.Adam(parameters, lr=2e-3)
    arr, target = (torch.from_numpy(array) for array in data())
    labelled, label = arr[:BATCH], target[:BATCH]
    running = [torch.zeros(2, width) for width in (*UNITS, *widths[::-1])]

    def normalised(z):  # type: ignore[no-untyped-def]
        mean, variance = z.mean(dim=0), z.var(dim=0, unbiased=False)
        return (z - mean) / torch.sqrt(variance + 1e-5), mean, variance

    def activation(level, y):  # type: ignore[no-untyped-def]
        return torch.relu(y) if level < top else torch.softmax(y, dim=1)

    def noisy(x):  # type: ignore[no-untyped-def]
        units = [x + 0.3 * torch.randn_like(x)]
        h = units[0]
        for level in range(1, top + 1):
            z, _, _ = normalised(h @ encoder[level - 1].T)
            units.append(z + 0.3 * torch.randn_like(z))
            y = gammas[level - 1] * (units[level] + betas[level - 1])
            h = activation(level, y)
        return units, h, y

    def keep(number, mean, variance):  # type: ignore[no-untyped-def]
        with torch.no_grad():
            running[number].mul_(0.99).add_(0.01 * torch.stack([mean, variance]))

    def cost(x):  # type: ignore[no-untyped-def]
        logits = noisy(labelled)[2]
        units, h, _ = noisy(x)
        clean, statistics = [x], [(0.0, 1.0)]
        above = x
        for level in range(1, top + 1):
            z, mean, variance = normalised(above @ encoder[level - 1].T)
            keep(level - 1, mean, variance)
            clean.append(z)
            statistics.append((mean, torch.sqrt(variance + 1e-5)))
            above = activation(level, gammas[level - 1] * (z + betas[level - 1]))
        total = f.cross_entropy(logits, label)
        above = estimate = h
        for level in range(top, -1, -1):
            if level < top:
                above = estimate @ decoder[top - 1 - level].T
            u, mean, variance = normalised(above)
            keep(top + top - level, mean, variance)
            a = combinators[level]
            mu = a[0] * torch.sigmoid(a[1] * u + a[2]) + a[3] * u + a[4]
            upsilon = a[5] * torch.sigmoid(a[6] * u + a[7]) + a[8] * u + a[9]
            estimate = (units[level] - mu) * upsilon + mu
            mean, deviation = statistics[level]
            difference = clean[level] - (estimate - mean) / deviation
            total = total + WEIGHTS[level] * difference.square().mean()
        return total

    def run(n: int) -> None:
        done = 0
        while done < n:
            for rows in torch.randperm(len(arr)).split(BATCH):
                optimizer.zero_grad()
                loss = cost(arr[rows])
                loss.backward()
                optimizer.step()
                done += 1
                if done == n:
                    break
        loss.item()

    return run

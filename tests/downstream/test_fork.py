"""Programs that fork after they have used the package. Each runs in a process of its own: MXNet's
traps end in a hang or a crash, not in an exception.
"""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

BEGIN = """
import multiprocessing, os, sys
import accelbrainbase as ab
import mxnet as mx, numpy as np
from mxnet import gluon, nd

rng = np.random.default_rng(0)
vectors = rng.normal(size=(64, 6)).astype(np.float32)

def auto_encoder():
    def network(units, activation):
        return ab.NeuralNetworks(
            computable_loss=ab.L2NormLoss(), units_list=units, ctx=mx.cpu(),
            activation_list=[activation] * len(units), dropout_rate_list=[0.0] * len(units),
        )
    return ab.AutoEncoder(
        encoder=network([4, 2], "tanh"), decoder=network([4, 6], "identity"),
        computable_loss=ab.L2NormLoss(), learning_rate=0.1, ctx=mx.cpu(),
    )

def convolutional_auto_encoder():
    def network(layers, activations):
        return ab.ConvolutionalNeuralNetworks(
            computable_loss=ab.L2NormLoss(), hidden_units_list=layers,
            hidden_activation_list=activations, hidden_dropout_rate_list=[0.0, 0.0],
            hidden_batch_norm_list=[None, None], ctx=mx.cpu(),
        )
    nn = gluon.nn
    return ab.ConvolutionalAutoEncoder(
        encoder=network(
            [nn.Conv2D(16, 3, padding=1), nn.Conv2D(8, 3, padding=1)], ["relu", "relu"]
        ),
        decoder=network(
            [nn.Conv2DTranspose(16, 3, padding=1), nn.Conv2DTranspose(1, 3, padding=1)],
            ["relu", "sigmoid"],
        ),
        computable_loss=ab.L2NormLoss(), learning_rate=0.1, ctx=mx.cpu(), tied_weights_flag=True,
    )

fork = multiprocessing.get_context("fork")

def in_child(work):
    queue = fork.Queue()
    child = fork.Process(target=lambda: queue.put(work()))
    child.start()
    result = queue.get(timeout=150)
    child.join(150)
    assert child.exitcode == 0, child.exitcode
    return result
"""

PROGRAMS = {
    "a child infers by a model that its parent has learned": """
        for model, data in [
            (auto_encoder(), vectors),
            (convolutional_auto_encoder(), rng.uniform(size=(8, 1, 8, 8)).astype(np.float32)),
        ]:
            model.learn(ab.ArrayIterator(data, epochs=2, batch_size=8))
            expected = model.inference(data).asnumpy()
            np.testing.assert_allclose(in_child(lambda: model.inference(data).asnumpy()), expected)
            # The parent goes on.
            model.learn(ab.ArrayIterator(data, epochs=1, batch_size=8))
            assert np.isfinite(model.loss_arr[:, 0]).all()
    """,
    "a child learns what its parent has begun": """
        model = convolutional_auto_encoder()
        pictures = rng.uniform(size=(16, 1, 8, 8)).astype(np.float32)
        model.learn(ab.ArrayIterator(pictures, epochs=3, batch_size=8))
        before = model.loss_arr[-1, 0]

        def work():
            model.learn(ab.ArrayIterator(pictures, epochs=5, batch_size=8))
            return model.loss_arr[-1, 0]

        assert in_child(work) < before
        assert model.loss_arr[-1, 0] == before  # the parent's model is its own
    """,
    "a pool of workers scores by one model": """
        model = auto_encoder()
        model.inference(vectors)

        def score(i):
            return float(np.square(model.inference(vectors[i : i + 8]).asnumpy()).mean())

        globals()["score"] = score
        with fork.Pool(2) as pool:
            scores = pool.map_async(score, range(0, 64, 8)).get(timeout=150)
        np.testing.assert_allclose(scores, [score(i) for i in range(0, 64, 8)], rtol=1e-5)
    """,
    "mini-batches of a DataLoader's worker processes": """
        class Loaded(ab.IteratableData):
            epochs, iter_n = 5, 5 * 8

            def generate_learned_samples(self):
                loader = gluon.data.DataLoader(
                    gluon.data.ArrayDataset(vectors), batch_size=8, shuffle=True, num_workers=2,
                )
                for _ in range(self.epochs):
                    for batch in loader:
                        yield batch, batch, batch, batch

            def generate_inferenced_samples(self):
                yield None, None, nd.array(vectors), None

        model = auto_encoder()
        model.inference(vectors)  # MXNet's threads run before the fork
        model.learn(Loaded())
        assert model.loss_arr.shape == (5, 2)
        assert model.loss_arr[-1, 0] < model.loss_arr[0, 0]
        data = gluon.data.ArrayDataset(vectors)
        for batch in gluon.data.DataLoader(data, batch_size=8, num_workers=2):
            assert model.inference(batch).shape == (8, 6)
    """,
    "a child reads pictures beside its parent": """
        import tempfile
        from PIL import Image

        folder = tempfile.mkdtemp()
        for i in range(20):
            pixels = rng.integers(0, 255, size=(8, 8)).astype(np.uint8)
            Image.fromarray(pixels).save(os.path.join(folder, f"{i}.png"))

        def iterator():
            return ab.UnlabeledImageIterator(
                image_extractor=ab.ImageExtractor(width=8, height=8, channel=1, ctx=mx.cpu()),
                dir_list=[folder], epochs=2, batch_size=5, norm_mode="min_max",
            )

        shared = iterator()
        begun = shared.generate_learned_samples()
        next(begun)  # threads read ahead in the parent

        def work():
            return sum(item[0].shape[0] for item in shared.generate_learned_samples())

        assert in_child(work) == 40
        assert sum(item[0].shape[0] for item in begun) == 35
    """,
    "a game with energies in a child": """
        noise = ab.UniformNoiseSampler(
            low=0.0, high=1.0, batch_size=4, channel=1, height=8, width=8, ctx=mx.cpu()
        )
        true_sampler = ab.TrueSampler()
        true_sampler.iteratorable_data = ab.ArrayIterator(
            rng.uniform(size=(16, 1, 8, 8)).astype(np.float32), batch_size=4
        )
        game = ab.EBGANController(
            true_sampler=true_sampler,
            generative_model=ab.GenerativeModel(
                noise_sampler=noise, model=convolutional_auto_encoder(), ctx=mx.cpu()
            ),
            discriminative_model=ab.EBDiscriminativeModel(
                model=convolutional_auto_encoder(), ctx=mx.cpu()
            ),
            discriminator_loss=ab.EBDiscriminatorLoss(), learning_rate=0.01, ctx=mx.cpu(),
        )
        game.learn(iter_n=3, k_step=1)

        def work():
            game.learn(iter_n=5, k_step=1)
            return game.discriminative_loss_arr

        loss_arr = in_child(work)
        assert loss_arr.shape == (5,) and np.isfinite(loss_arr).all()
        game.learn(iter_n=2, k_step=1)
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_program_that_forks(name):
    code = BEGIN + textwrap.dedent(PROGRAMS[name]) + "\nprint('done')\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("done\n")

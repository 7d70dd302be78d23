"""Adversarial auto-encoders that learn classes from few labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from mxnet import autograd, nd

from accelbrainbase._checks import check_integer, check_is_a
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase._mxnet.lazy_trainer import LazyTrainer
from accelbrainbase.controllablemodel._mxnet.gan_controller import mean_of
from accelbrainbase.controllablemodel._mxnet.gancontroller.aae_controller import AAEController
from accelbrainbase.observabledata._mxnet.adversarialmodel.discriminative_model import (
    DiscriminativeModel,
)
from accelbrainbase.samplable_data import SamplableData


class SemiSupervisedAAEController(AAEController):
    """An adversarial auto-encoder whose codes are a class and a style.

    The first `class_n` units of the code are the probabilities of the classes (see
    `CategoricalEncoder`), the others are the style. A turn has three phases: *regularisation*,
    in which one discriminator spreads the classes like `category_sampler` and another the styles
    like `true_sampler`; *reconstruction*; and *classification* of labelled data points, of which
    a few suffice. The history has one more column, `train_classification_loss`. A
    `gradient_penalty` holds for both discriminators; what is recorded of that of classes has
    names with `category_` before. A `feature_matching_loss` is one of styles alone.

    Args:
        category_discriminative_model: The discriminator of classes.
        category_sampler: Draws from the prior of classes, such as a `OneHotNoiseSampler`.
        labeled_sampler: Draws labelled data points, such as a `LabeledTrueSampler`; labels are
            one-hot.
        class_n: Number of classes.
        **kwargs: The arguments of `AAEController`: `true_sampler` draws from the prior of
            styles, `discriminative_model` judges styles.

    Raises:
        TypeError: If an argument is of the wrong type, or a keyword is unknown.

    References:
        - Makhzani, A., et al. (2015). Adversarial autoencoders. arXiv:1511.05644. Section 4,
          figure 6.
    """

    category_discriminator_trainer = LazyTrainer("category_discriminative_model")
    classification_trainer = LazyTrainer("encoder")
    category_discriminative_model: Any = None

    def __init__(
        self,
        *,
        category_discriminative_model: DiscriminativeModel,
        category_sampler: SamplableData,
        labeled_sampler: SamplableData,
        class_n: int = 10,
        **kwargs: Any,
    ) -> None:
        check_is_a(
            "category_discriminative_model", category_discriminative_model, DiscriminativeModel
        )
        check_is_a("category_sampler", category_sampler, SamplableData)
        check_is_a("labeled_sampler", labeled_sampler, SamplableData)
        super().__init__(**kwargs)
        self.class_n = check_integer("class_n", class_n, low=2)
        self.category_discriminative_model = category_discriminative_model
        self.category_sampler, self.labeled_sampler = category_sampler, labeled_sampler
        self.complete()

    def _file_parts(self) -> dict[str, GluonLearner]:
        return {
            **super()._file_parts(),
            "category_discriminator": self.category_discriminative_model,
        }

    def _samplers(self) -> Any:
        yield from super()._samplers()
        yield from (self.category_sampler, self.labeled_sampler)

    def _prepare_turns(self) -> None:
        self.initialize_parameters()
        if any(p._deferred_init for p in self.collect_params().values()):
            category_arr, style_arr = self._split(self.generative_model.draw()[0])
            self._judge(style_arr)
            self.category_discriminative_model.inference(category_arr)

    # -- the phases --------------------------------------------------------------------

    def train_discriminator(self, k_step: int) -> tuple[Any, Any]:
        """Let both discriminators take `k_step` steps.

        Args:
            k_step: Number of steps.

        Returns:
            The mean loss of both together, and the mean posterior of styles.
        """
        losses, posteriors = [], []
        for number in range(1, k_step + 1):
            code_arr = self._draw_generated(last=number == k_step).detach()
            category_arr, style_arr = self._split(code_arr)
            loss_arr, posterior_arr = self._discriminate(self._draw_true(), style_arr)
            losses += [loss_arr, self._discriminate_category(category_arr)]
            posteriors.append(posterior_arr)
            self._step_n += 1
        return 2.0 * mean_of(losses), mean_of(posteriors)

    def _discriminate_category(self, category_arr: nd.NDArray) -> nd.NDArray:
        true_arr = self.on_device("category_arr", self.category_sampler.draw())
        model = self.category_discriminative_model
        return self._step_of_judge(
            model, model.inference, self.category_discriminator_trainer,
            true_arr, category_arr, "category_",
        )[0]  # fmt: skip

    def _features_of_generated(self, generated_arr: nd.NDArray) -> nd.NDArray:
        return self._features(self._split(generated_arr)[1])

    def train_generator(self) -> tuple[Any, Any]:
        """Let the encoder take one step against both discriminators; reconstruct; classify.

        Returns:
            The loss of the encoder against both, and the posterior of the styles.
        """
        judged: list[nd.NDArray] = []

        def loss_of(code_arr: nd.NDArray) -> nd.NDArray:
            category_arr, style_arr = self._split(code_arr)
            judged.append(self._judge(style_arr))
            against = self.category_discriminative_model.inference(category_arr)
            return self.generator_loss(judged[0]) + self.generator_loss(against)

        loss_arr = self._descend(self._recorded_generated(), loss_of)
        self._note_gradient_norm("generative_gradient_norm", self.generator_trainer)
        self._also["reconstruction_loss"] = self.train_reconstruction()
        self._also["classification_loss"] = self.train_classification()
        return loss_arr, self._posterior(judged[0])

    def train_classification(self) -> nd.NDArray:
        """Let the encoder take one step on the classes of labelled data points.

        Returns:
            The cross-entropy of each sample, shape `(batch,)`.

        Raises:
            ValueError: If labels are not one-hot.
        """
        observed_arr, label_arr = (
            self.on_device("labeled_arr", arr) for arr in self.labeled_sampler.draw()[:2]
        )
        if label_arr.shape != (observed_arr.shape[0], self.class_n):
            raise ValueError(
                f"`labeled_sampler` must draw one-hot labels of {self.class_n} classes, shape "
                f"({observed_arr.shape[0]}, {self.class_n}), but draws {label_arr.shape}. An "
                f"`ArrayIterator` with `one_hot=True` makes them of class numbers; `class_n` is "
                f"the number of classes."
            )
        with autograd.record():
            probability_arr, _ = self._split(self.encoder(observed_arr))
            log_arr = nd.log(nd.maximum(probability_arr, 1e-7))
            loss_arr = -nd.sum(label_arr * log_arr, axis=1)
        self.update(loss_arr, observed_arr.shape[0], self.classification_trainer)
        self.constrain(self.generative_model)
        return loss_arr

    def classify(self, observed_arr: Any) -> np.ndarray:
        """Return the most probable classes.

        Args:
            observed_arr: NDArray or NumPy array, shape `(batch, *features)`.

        Returns:
            Numbers of classes, shape `(batch,)`.
        """
        code_arr = self.encoder.inference(observed_arr)
        return self._split(code_arr)[0].argmax(axis=1).asnumpy().astype(int)

    def _split(self, code_arr: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
        return (
            nd.slice_axis(code_arr, axis=1, begin=0, end=self.class_n),
            nd.slice_axis(code_arr, axis=1, begin=self.class_n, end=None),
        )

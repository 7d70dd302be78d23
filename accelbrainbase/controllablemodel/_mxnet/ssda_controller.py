"""Self-supervised domain adaptation: a classifier and a pretext task share an encoder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mxnet import autograd, gluon, nd
from mxnet.gluon import HybridBlock
from mxnet.initializer import Initializer

from accelbrainbase._accessors import read_only
from accelbrainbase._checks import check_is_a
from accelbrainbase._mxnet.adaptation_block import AdaptationBlock
from accelbrainbase._mxnet.gluon_learner import GluonLearner
from accelbrainbase.computable_loss import ComputableLoss
from accelbrainbase.controllable_model import ControllableModel
from accelbrainbase.iteratable_data import IteratableData
from accelbrainbase.learning.callback import Callback
from accelbrainbase.learning.randomness import seeded
from accelbrainbase.observabledata._mxnet.convolutional_neural_networks import (
    ConvolutionalNeuralNetworks,
)


class SSDAController(AdaptationBlock, ControllableModel):
    r"""Lets a classifier adapt to an unlabelled domain, by a task that needs no labels.

    .. math:: \min \; \mathcal{L}_0(S; \phi, h_0) + \mathcal{L}_1(S, T; \phi, h_1)

    (Sun et al. 2019, section 3): the encoder :math:`\phi` is shared by the classifier
    :math:`h_0`, which learns in the source domain, and by the model :math:`h_1` of the pretext
    task, which learns in both domains: so what is told apart in the one must be told apart alike
    in the other. The iterator makes the pretext task: rotations, with `RotationIterator`.

    The history has the columns `loss`, `classification_loss`, `pretext_loss` and `accuracy`, each
    of training and of test data; the pretext task is asked about the latter too.

    Args:
        encoder: Gives the features: maps, or a code where it ends in an `output_nn`.
        classifier: A network from features to scores of the classes.
        pretext_task_model: A network from features to scores of the answers of the pretext task.
        ssda_loss: The loss, such as `SSDALoss`.
        initializer: Draws the initial values of parameters whose shape is not known yet;
            `None` leaves that to the parts.
        learning_rate: The learning rate.
        learning_attenuate_rate: Factor on it after every `attenuate_epoch` epochs.
        attenuate_epoch: Number of epochs between two attenuations.
        optimizer_name: Name of a Gluon optimiser.
        ctx: The device; that of the encoder if omitted.
        hybridize_flag: Whether the networks are compiled to static graphs.
        scale: Factor on the initial weights that `initializer` draws.
        tol: By how much the training loss of an epoch may exceed that of the epoch before.
            Beyond it, the learning rate is halved, and a warning goes to the log.
        est: The least rate that such halving may lead to.
        wd: Weight decay, at least 0.
        pretext_source_flag: Whether the pretext task is learned in the source domain too, as in
            the paper; else in the target domain only. What is asked of the source domain follows
            from NumPy's global state, which `accelbrainbase.seed` sets, not from the seed of the
            iterator.
        **kwargs: More arguments of `GluonLearner`: `optimizer_params`, …

    Raises:
        TypeError: If a part is of the wrong type, or a keyword is unknown.

    Attributes:
        encoder: Gives the features.
        classifier: From features to scores of the classes.
        pretext_task_model: From features to answers of the pretext task.
        pretext_source_flag: Whether the pretext task is learned in the source domain too.
        compute_acc_flag: Whether the share of right answers is recorded; `True` here.

    Example:
        >>> model = SSDAController(encoder, classifier, pretext_model, SSDALoss())
        >>> model.learn(SSDAArrayIterator(source, labels, target_domain))
        >>> score_arr = model.inference(target_domain)

    References:
        - Sun, Y., Tzeng, E., Darrell, T., & Efros, A. A. (2019). Unsupervised domain adaptation
          through self-supervision. arXiv:1909.11825.
    """

    encoder: Any = None
    classifier: Any = None
    pretext_task_model: Any = None
    _uses_all_parts = False  # the pretext task has no part in inference
    _tuple_size = 6
    _iterator_name = "RotationIterator"
    _loss_names: tuple[str, ...] = ("classification_loss", "pretext_loss")
    _loss_columns: tuple[str, ...] = (
        "train_loss", "test_loss", "train_classification_loss", "test_classification_loss",
        "train_pretext_loss",
    )  # fmt: skip
    _fitting: frozenset[tuple[int, ...]] = frozenset()
    _iteratable_data: Any = None

    def __init__(
        self,
        encoder: ConvolutionalNeuralNetworks,
        classifier: HybridBlock,
        pretext_task_model: HybridBlock,
        ssda_loss: ComputableLoss | gluon.loss.Loss,
        initializer: Initializer | None = None,
        learning_rate: float = 1e-05,
        learning_attenuate_rate: float = 1.0,
        attenuate_epoch: int = 50,
        optimizer_name: str = "SGD",
        ctx: Any = None,
        hybridize_flag: bool = True,
        scale: float = 1.0,
        tol: float = 3.0,
        est: float = 1e-08,
        wd: float | None = 0.0,
        *,
        pretext_source_flag: bool = True,
        **kwargs: Any,
    ) -> None:
        check_is_a("encoder", encoder, ConvolutionalNeuralNetworks)
        check_is_a("classifier", classifier, HybridBlock)
        check_is_a("pretext_task_model", pretext_task_model, HybridBlock)
        self._set_up(
            ssda_loss,
            tol,
            est,
            initializer=initializer,
            learning_rate=learning_rate,
            learning_attenuate_rate=learning_attenuate_rate,
            attenuate_epoch=attenuate_epoch,
            optimizer_name=optimizer_name,
            ctx=encoder.ctx if ctx is None else ctx,
            hybridize_flag=hybridize_flag,
            scale=scale,
            wd=wd,
            **kwargs,
        )
        self.encoder = encoder
        self.classifier = classifier
        self.pretext_task_model = pretext_task_model
        self.pretext_source_flag = bool(pretext_source_flag)
        self._set_up_parts()
        self.complete()

    def _set_up_parts(self) -> None:
        """Hook: set what a subclass has beside the parts of this class."""

    @property
    def ssda_loss(self) -> Any:
        """The loss; another name of `computable_loss`."""
        return self.computable_loss

    @ssda_loss.setter
    def ssda_loss(self, value: ComputableLoss | gluon.loss.Loss) -> None:
        self.computable_loss = value

    # -- the network -------------------------------------------------------------------

    def forward_propagation(self, F: Any, x: Any) -> Any:  # noqa: ARG002
        """Compute the scores of the classes.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            x: Observed data points, shape `(batch, channel, height, width)`.

        Returns:
            The scores, shape `(batch, classes)`.
        """
        code = self.encoder(x)
        self.keep_features(code)
        return self.classifier(code)

    @read_only
    def feature_points_arr(self) -> nd.NDArray:
        """What the encoder gave in the last `inference`."""
        return self.kept_features()

    def _heads(self) -> list[HybridBlock]:
        """Hook: the networks that features go into."""
        return [self.classifier, self.pretext_task_model]

    def _check_input(self, observed_arr: nd.NDArray) -> None:
        self.encoder._check_input(observed_arr)
        sizes = observed_arr.shape[1:]
        if sizes not in self._fitting:  # a shape that was not seen yet: try one data point
            with autograd.pause():
                code_arr = self.encoder(observed_arr[:1])
                for head in self._heads():
                    if isinstance(head, GluonLearner):
                        head._check_input(code_arr)  # type: ignore[attr-defined]
                    head(code_arr)  # so all shapes are known, and all can be saved
            self._fitting |= {sizes}

    # -- learning ----------------------------------------------------------------------

    def compute_loss(  # type: ignore[override]  # the contract's names
        self,
        pretext_pred_arr: nd.NDArray,
        pred_arr: nd.NDArray,
        pretext_label_arr: nd.NDArray,
        label_arr: nd.NDArray,
    ) -> tuple[nd.NDArray, ...]:
        """Compute the losses of each sample.

        Args:
            pretext_pred_arr: Scores of the pretext task, shape `(batch, answers)`; of several
                questions, `(batch, questions, answers)`.
            pred_arr: Scores of the classes, shape `(batch, classes)`.
            pretext_label_arr: Answers of the pretext task, one-hot.
            label_arr: The classes.

        Returns:
            Total, classification and pretext losses, shape `(batch,)` each.
        """
        return self._compute(pretext_pred_arr, pred_arr, pretext_label_arr, label_arr)

    def learn(
        self, iteratable_data: IteratableData, *, callbacks: Iterable[Callback] | None = None
    ) -> None:
        """Learn from the mini-batches of the source domain, and of the pretext task.

        What was recorded is in `history` and `loss_arr`: one row for each epoch.

        Args:
            iteratable_data: Generates the mini-batches, and makes samples of the pretext task of
                other data points.
            callbacks: Take part in the learning: `EarlyStopping`, `TensorBoard`, …

        Raises:
            TypeError: If `iteratable_data` is no `IteratableData`, cannot make samples, or
                generates no tuples of six.
            NonFiniteLossError: If a loss is infinite or not a number.
        """
        with self._learning_from(iteratable_data):
            super().learn(iteratable_data, callbacks=callbacks)

    @contextmanager
    def _learning_from(self, iteratable_data: IteratableData) -> Iterator[None]:
        """Know the iterator, which makes samples of the pretext task, while learning."""
        self.__dict__["_iteratable_data"] = iteratable_data
        try:
            yield
        finally:
            self.__dict__["_iteratable_data"] = None

    def _samples_of(self, observed_arr: nd.NDArray) -> tuple[nd.NDArray, nd.NDArray]:
        """Return samples of the pretext task, made of data points."""
        create = getattr(self._iteratable_data, "create_pretext_task_samples", None)
        if create is None:
            raise TypeError(
                f"`iteratable_data` must have the method `create_pretext_task_samples`, as "
                f"`SSDAIterator` has, but {type(self._iteratable_data).__name__} has not."
            )
        pretext_arr, answer_arr = create(observed_arr)
        return (
            self.on_device("pretext_arr", pretext_arr),
            self.on_device("pretext_label_arr", answer_arr),
        )

    def _prepared(self, *arrays: nd.NDArray) -> tuple[nd.NDArray, ...]:
        if not self.pretext_source_flag:
            return arrays
        return (*arrays, *self._samples_of(arrays[0]))

    def _losses_of(self, *arrays: nd.NDArray) -> tuple[Any, nd.NDArray]:
        observed_arr, label_arr, pretext_arr, answer_arr, *of_source = arrays
        source_code_arr, target_code_arr = self.encoder(observed_arr), self.encoder(pretext_arr)
        score_arr = self.classifier(source_code_arr)
        pretext_score_arr = self.pretext_task_model(target_code_arr)
        if of_source:
            source_code_arr = self.encoder(of_source[0])
            pretext_score_arr = nd.concat(
                pretext_score_arr, self.pretext_task_model(source_code_arr), dim=0
            )
            answer_arr = nd.concat(answer_arr, of_source[1], dim=0)
        answers = (self._by_question(pretext_score_arr), score_arr, self._by_question(answer_arr))
        domains = self._judged(source_code_arr, target_code_arr)
        return self.compute_loss(*answers, label_arr, *domains), score_arr

    def _judged(
        self,
        source_code_arr: nd.NDArray,  # noqa: ARG002
        target_code_arr: nd.NDArray,  # noqa: ARG002
    ) -> tuple[nd.NDArray, ...]:
        """Hook: what a discriminator of domains gives; here there is none."""
        return ()

    def _by_question(self, arr: nd.NDArray) -> nd.NDArray:
        """Return scores or answers of several questions in the shape `(batch, questions, -1)`."""
        block_n = getattr(self._iteratable_data, "pretext_block_n", 1)
        return arr if block_n == 1 else arr.reshape((arr.shape[0], block_n, -1))

    def _evaluate(self, *arrays: nd.NDArray) -> Any:
        observed_arr, label_arr = arrays
        with seeded(0):  # the same each time, and what is learned does not depend on it
            pretext_arr, answer_arr = self._samples_of(observed_arr)
        score_arr = self.inference(observed_arr)
        pretext_score_arr = self.pretext_task_model(self.encoder(pretext_arr))
        losses = self._compute_held_out(
            self._by_question(pretext_score_arr),
            score_arr,
            self._by_question(answer_arr),
            label_arr,
        )
        return self._recorded(losses, score_arr, label_arr)

    def _compute_held_out(self, *arrays: nd.NDArray) -> Any:
        """Hook: compute the losses of held-out data."""
        return self.compute_loss(*arrays)

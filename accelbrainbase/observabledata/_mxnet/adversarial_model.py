"""What the two players of an adversarial game share."""

from __future__ import annotations

from accelbrainbase._mxnet.injected_network import InjectedNetwork


class AdversarialModel(InjectedNetwork):
    """One of the two players of an adversarial game; its network is injected.

    A controller lets the players learn against each other. A player can also learn alone, by
    `learn`, before or between games: as every model it then minimises `computable_loss`.

    Args:
        model: The network. Parameters that it has learned stay learned.
        computable_loss: What `learn` minimises; each kind of player has a default.
        **kwargs: The arguments of `GluonLearner`.

    Raises:
        TypeError: If `model` is no `HybridBlock`.
    """

"""What comes next is worth: the ways to tell from two networks."""

from __future__ import annotations

from typing import Any

from accelbrainbase._described import Described


class MaxNextValue(Described):
    r"""The largest value of the target network.

    .. math:: v = \max_a Q^-(s', a)

    References:
        - Mnih, V., et al. (2015). Human-level control through deep reinforcement learning.
          Nature, 518, 529-533. Algorithm 1.
    """

    needs_online = False

    def __call__(self, F: Any, online_arr: Any, target_arr: Any) -> Any:  # noqa: ARG002
        """Return values of states, shape `(batch,)`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            online_arr: Values of actions by the network that learns, or `None`.
            target_arr: Values of actions by the target network, shape `(batch, actions)`.
        """
        return F.max(target_arr, axis=1)


class DoubleNextValue(Described):
    r"""The value, by the target network, of the action that the learning network would take.

    .. math:: v = Q^-(s', \operatorname{arg\,max}_a Q(s', a))

    One network chooses and the other values, so that chance does not make values too large.

    References:
        - van Hasselt, H., Guez, A., & Silver, D. (2016). Deep reinforcement learning with double
          Q-learning. AAAI. Equation 4.
    """

    needs_online = True

    def __call__(self, F: Any, online_arr: Any, target_arr: Any) -> Any:
        """Return values of states, shape `(batch,)`.

        Args:
            F: `mxnet.ndarray` or `mxnet.symbol`.
            online_arr: Values of actions by the network that learns, shape `(batch, actions)`.
            target_arr: Values of actions by the target network, of the same shape.
        """
        return F.pick(target_arr, F.argmax(online_arr, axis=1), axis=1)

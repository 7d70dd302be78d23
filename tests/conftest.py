"""What all tests share."""

import matplotlib

import accelbrainbase  # noqa: F401 - before any test module imports MXNet

matplotlib.use("Agg")

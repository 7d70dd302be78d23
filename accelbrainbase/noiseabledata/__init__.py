"""Implementations of `NoiseableData`."""

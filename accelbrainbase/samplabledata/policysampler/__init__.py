"""Implementations of `PolicySampler`."""

"""Implementations of `ComputableLoss`."""

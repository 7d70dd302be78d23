"""Implementations of `ControllableModel`."""

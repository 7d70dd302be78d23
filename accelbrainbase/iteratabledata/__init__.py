"""Implementations of `IteratableData`."""

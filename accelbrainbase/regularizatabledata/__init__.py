"""Implementations of `RegularizatableData`."""

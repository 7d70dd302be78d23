"""Implementations of `SamplableData`."""

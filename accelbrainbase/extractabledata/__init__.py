"""Implementations of `ExtractableData`."""

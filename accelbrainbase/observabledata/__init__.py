"""Implementations of `ObservableData`: the models."""

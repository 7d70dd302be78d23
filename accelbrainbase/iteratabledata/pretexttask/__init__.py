"""Pretext tasks: questions about data points whose answers need no labels."""

"""Functional equivalents on one problem: what solves it how well, at what cost."""

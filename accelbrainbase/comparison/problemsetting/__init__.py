"""The problem settings that this package knows."""

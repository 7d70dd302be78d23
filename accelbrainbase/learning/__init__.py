"""The skeleton of learning: one loop, what it records, and what may hook into it.

Nothing here knows a tensor library; what touches tensors is injected as a `Backend`.
"""

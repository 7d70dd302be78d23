"""One module for each workload.

A module has a `TITLE`, and a function for each side that can do the work: `ours`, and peers by the
names of `benchmarks.harness.SIDES`. Those whose name begins with one of
`benchmarks.environments.ENVIRONMENTS` run there (`torch_eager`, `torch_compile` in `torch`), the
others in ours. Each sets itself up and returns a function `run(n)`, which does the work `n` times
and waits until it is done. `WARM_UP` says how often it is done before anything is timed, `REPEAT`
how often in one timing. What does not cost time has a `UNIT`, and `run` returns how much it costs.
"""

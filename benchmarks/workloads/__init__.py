"""One module for each workload.

A module has a `TITLE`, and a function for each side that can do the work: `ours`, and peers
by the names of `benchmarks.environments.ENVIRONMENTS` (`torch_eager`, `torch_compile` run in
the environment `torch`). Each sets itself up and returns a function `run(n)`, which does the
work `n` times and waits until it is done. `UNIT` says what is done once; `WARM_UP` how often
it is done before anything is timed, `REPEAT` how often in one timing.
"""

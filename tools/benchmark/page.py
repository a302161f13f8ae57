"""The page docs/benchmarks.md, written from the figures."""


def page(results):
    return repr(results)

"""What ArviZ says of the traces in Tests/DiagnosticsTests/Traces.swift, as the Swift source of the list there.

Run as: python3 -m venv V && V/bin/pip install arviz==0.23.4 && V/bin/python Tests/Parity/diagnostics.py
"""

import sys
import warnings

import arviz
import numpy
from arviz.stats.diagnostics import _rhat, _split_chains, _z_scale

warnings.simplefilter("ignore")

# name: seed, chains, draws, phi, and what differs from the defaults of trace()
CASES = {
    "mixing": (1, 4, 250, 0.3, {}),
    "antithetic": (2, 4, 200, -0.6, {}),
    "slow, odd length": (3, 4, 301, 0.95, {}),
    "slow, even length": (16, 4, 400, 0.95, {}),
    "shifted": (4, 3, 100, 0.5, {"shift": 0.4}),
    "ties": (5, 4, 120, 0.4, {"step": 0.25}),
    "skewed": (6, 2, 501, 0.7, {"skewed": True}),
    "one chain": (7, 1, 333, 0.6, {}),
    "short": (8, 4, 10, 0.2, {}),
    "shortest": (9, 2, 5, 0.2, {}),
    "three draws": (8, 4, 3, 0.2, {}),
    "six": (9, 2, 6, 0.2, {}),
    "long": (10, 16, 500, 0.1, {}),
    "independent": (14, 4, 500, 0, {}),
    "odd length": (15, 4, 99, 0.5, {}),
    "strongly antithetic": (17, 2, 150, -0.95, {}),
    "constant": (18, 4, 50, 0, {"fault": "constant"}),
    "one constant chain": (18, 1, 50, 0, {"fault": "constant"}),
    "constant chains that differ": (18, 4, 50, 0, {"shift": 0.5, "fault": "constant"}),
    "not a number": (11, 4, 100, 0.3, {"fault": "notANumber"}),
}


def trace(seed, chains, draws, phi, shift=0, step=0, skewed=False, fault=None):
    state, result = seed, numpy.empty((chains, draws))
    for chain in range(chains):
        x = 0.0
        for draw in range(draws):
            state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
            x = phi * x + ((state >> 11) * 2.0**-53 - 0.5)
            value = (1 if fault == "constant" else x) + shift * chain
            value = value * value * value if skewed else value
            result[chain, draw] = numpy.floor(value / step) * step if step else value
    if fault == "notANumber":
        result[-1, draws // 2] = numpy.nan
    return result


def swift(x):
    x = float(x)
    return ".nan" if x != x else ".infinity" if x == numpy.inf else repr(x)


def one_chain(x):
    """Rank-normalized split R-hat of the two halves of one chain, which arviz.rhat refuses."""
    split = _split_chains(x)
    folded = numpy.abs(split - numpy.median(split))
    return max(_rhat(_z_scale(split)), _rhat(_z_scale(folded)))


def main():
    print(f"// ArviZ {arviz.__version__}, NumPy {numpy.__version__}", file=sys.stderr)
    for name, (seed, chains, draws, phi, other) in CASES.items():
        x = trace(seed, chains, draws, phi, **other)
        words = {True: "true", "constant": ".constant", "notANumber": ".notANumber"}
        more = "".join(f", {key}: {words.get(value, value)}" for key, value in other.items())
        values = [
            arviz.rhat(x) if len(x) > 1 or (x == x[0, 0]).all() else one_chain(x),
            arviz.ess(x, method="bulk"),
            arviz.ess(x, method="tail"),
            arviz.mcse(x, method="mean"),
            arviz.mcse(x, method="sd"),
            arviz.mcse(x, method="quantile", prob=0.05),
            arviz.mcse(x, method="quantile", prob=0.5),
            arviz.bfmi(x[:1])[0],
        ]
        r, b, t, m, s, q, d, e = map(swift, values)
        print(f"""  Pinned(
    name: "{name}",
    trace: Trace(seed: {seed}, chains: {chains}, draws: {draws}, phi: {phi}{more}),
    rHat: {r}, bulk: {b}, tail: {t},
    mean: {m}, sd: {s}, quantile: {q},
    median: {d}, eBFMI: {e}),""")


if __name__ == "__main__":
    main()

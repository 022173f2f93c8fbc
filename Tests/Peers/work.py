"""The work that ours and the peers are timed on: model file, problem file, reference values, clock.

Needs NumPy alone. The reference values come from Tests/Parity/parity.py in float64; a peer whose values
differ from them is not timed.
"""
import json
import math
import os
import pathlib
import platform
import statistics
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "Parity"))
import parity  # noqa: E402

THREADS = 2


class Problem:
    """data [C, H, W], observed [C, H, W] of 0 and 1, sigma: y ~ N(g(z), σ² + residual) where observed."""

    def __init__(self, model, path=None):
        if path:
            _, tensors = parity.read_safetensors(path)
            self.data, self.sigma = tensors["data"], float(tensors["sigma"].ravel()[0])
            self.observed = tensors["observed"] >= 0.5
        else:  # a picture of the model's own with noise, all of it observed
            random = np.random.default_rng(0)
            picture = model.decode(model.codes(random.standard_normal(model.latent)))
            self.sigma, self.observed = 0.1, np.ones(model.shape, bool)
            self.data = picture + self.sigma * random.standard_normal(model.shape)
        variance = self.sigma ** 2 + parity.marginal_variances(model.tensors)
        self.precision = np.where(self.observed, 1 / variance, 0)
        # The data in whatever form, where they are not observed they meet a precision of 0.
        self.constant = -0.5 * np.log(2 * math.pi * variance[self.observed]).sum()

    def log_likelihood(self, picture):
        return self.constant - 0.5 * (self.precision * (self.data - picture) ** 2).sum()


class Model:
    """A model file: `tensors` as they lie there (float64), and lists ready for a peer."""

    def __init__(self, path):
        metadata, self.tensors = parity.read_safetensors(path)
        self.config = json.loads(metadata["config"])
        self.latent = self.config["latent"]
        self.shape = tuple(self.config["image"][axis] for axis in ("channels", "height", "width"))
        self.pixels = math.prod(self.shape)

    # float64 reference, one item at a time

    def codes(self, u):
        return parity.flow(self.tensors, self.config["flow"], u, inverse=True)[0]

    def decode(self, z):
        return parity.network(self.tensors, "decoder", self.config["decoder"], z).reshape(self.shape)

    def log_posterior(self, problem, position, space):
        """ln p(z | y) or ln p(u | y), up to the same constant ln p(y)."""
        if space == "u":
            u, z, logarithm = position, self.codes(position), 0.0
        else:
            z = position
            u, logarithm = parity.flow(self.tensors, self.config["flow"], z)
        prior = -0.5 * u @ u - 0.5 * self.latent * math.log(2 * math.pi) + logarithm
        return prior + problem.log_likelihood(self.decode(z))

    def positions(self, lanes, space, seed=1):
        """[lanes, K]: draws of the prior."""
        u = np.random.default_rng(seed).standard_normal((lanes, self.latent))
        return u if space == "u" else np.stack([self.codes(row) for row in u])

    # what a peer computes with

    def layers(self):
        """The decoder as (op, weight, bias, description), batch norms folded into the layer before."""
        layers = []
        for index, layer in enumerate(self.config["decoder"]):
            op = layer["op"]
            weight, bias = (self.tensors.get(f"decoder.{index}.{part}") for part in ("weight", "bias"))
            if op == "batchNorm":
                mean, variance = (self.tensors[f"decoder.{index}.running{part}"]
                                  for part in ("Mean", "Variance"))
                scale = weight / np.sqrt(variance + 1e-5)
                op, before, offset, layer = layers.pop()
                axis = 1 if op == "convTranspose" else 0
                shape = [1] * before.ndim
                shape[axis] = -1
                weight, bias = before * scale.reshape(shape), (offset - mean) * scale + bias
            elif op == "dropout":
                continue
            elif op not in ("linear", "convTranspose", "reshape", "flatten", "silu", "relu",
                            "leakyRelu", "sigmoid"):
                sys.exit(f"peers: no peer computes the decoder layer {op}")
            layers.append((op, weight, bias, layer))
        return layers

    def flow_steps(self):
        """The flow from codes to base variables, all that is linear between two couplings as one product.

        ("linear", A, A⁻¹, c, ln|det A|): y = A x + c. ("coupling", second?, bound, hidden,
        [(weight, bias), …]): an affine coupling.
        """
        steps = []
        for index, layer in enumerate(self.config["flow"]):
            op, prefix = layer["op"], f"flow.{index}"
            if op == "affineCoupling":
                count = len(layer["hidden"]) + 1
                parameters = [(self.tensors[f"{prefix}.conditioner.{j}.weight"],
                               self.tensors[f"{prefix}.conditioner.{j}.bias"]) for j in range(count)]
                steps.append(("coupling", layer["transforms"] == "second", layer["maxLogScale"],
                              layer["hidden"], parameters))
            elif op in ("affine", "luLinear", "permutation"):
                def apply(x):
                    return parity.flow_layer(self.tensors, index, layer, x, False)
                offset, logarithm = apply(np.zeros(self.latent))
                matrix = np.stack([apply(row)[0] - offset for row in np.eye(self.latent)], axis=1)
                if steps and steps[-1][0] == "linear":
                    _, before, _, earlier, sum_before = steps.pop()
                    offset, logarithm = matrix @ earlier + offset, logarithm + sum_before
                    matrix = matrix @ before
                steps.append(("linear", matrix, np.linalg.inv(matrix), offset, float(logarithm)))
            else:
                sys.exit(f"peers: no peer computes the flow layer {op}")
        return steps


def refuse_differences(name, model, problem, space, positions, values, gradients):
    """Ends the program unless value and gradient of some lanes are those of the float64 reference."""
    if not (np.isfinite(values).all() and np.isfinite(gradients).all()):
        sys.exit(f"peers: {name} gives numbers that are not finite")
    random = np.random.default_rng(2)
    for lane in sorted({0, len(positions) // 2, len(positions) - 1}):
        position = positions[lane]
        wanted = model.log_posterior(problem, position, space)
        if not abs(values[lane] - wanted) <= 1e-4 * abs(wanted):
            sys.exit(f"peers: {name} gives {values[lane]} for lane {lane}, not {wanted}")
        direction = random.standard_normal(len(position))
        direction *= 1e-6 / np.linalg.norm(direction)
        slope = (model.log_posterior(problem, position + direction, space)
                 - model.log_posterior(problem, position - direction, space)) / 2e-6
        found = gradients[lane] @ (direction / 1e-6)
        if not abs(found - slope) <= 1e-3 * np.linalg.norm(gradients[lane]):
            sys.exit(f"peers: {name} has slope {found} in lane {lane}, not {slope}")


def rates(step, items, repeats, seconds):
    """Items per second in each of some repeats of at least `seconds`; `step` ends when its work has."""
    step()
    start, calls = time.perf_counter(), 0
    while time.perf_counter() - start < seconds / 2 or calls < 2:
        step()
        calls += 1
    calls = max(1, math.ceil(calls * seconds / (time.perf_counter() - start)))
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(calls):
            step()
        found.append(calls * items / (time.perf_counter() - start))
    return found


def fastest(steps, items, repeats, seconds):
    """(name, rates) of the step that wins three short trials by turns; the fair choice for a peer."""
    best = dict.fromkeys(steps, 0.0)
    for _ in range(3 if len(steps) > 1 else 0):
        for name, step in steps.items():
            best[name] = max(best[name], *rates(step, items, 2, 0.1))
    name = max(best, key=best.get)
    return name, rates(steps[name], items, repeats, seconds)


def row(found, **keys):
    return {**keys, "per_second": statistics.median(found), "low": min(found), "high": max(found)}


def add_timing_options(parser):
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="at least, of one repeat")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")


def finish(options, results, **versions):
    """Prints what was measured; the load is that of the minute before."""
    results = {**results, "threads": THREADS, "load": os.getloadavg()[0],
               "versions": {"python": platform.python_version(), "numpy": np.__version__, **versions}}
    if options.json:
        print(json.dumps(results))
        return
    for key, value in results.items():
        for line in value if isinstance(value, list) else [value]:
            print(key, line)

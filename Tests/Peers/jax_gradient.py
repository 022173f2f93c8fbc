"""Log posterior and its gradient per second in JAX: compiled, float32, all lanes in one call.

    jax_gradient.py MODEL [--problem PROBLEM] [--lanes 1 16 64 256] [--space z|u] [--json]

Several ways to write the transposed convolutions are tried and the fastest one is timed.
"""
import argparse

import jax
import jax.numpy as jnp
import numpy as np

import jax_model
import work


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--problem")
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--space", choices=("z", "u"), default="z")
    parser.add_argument("--transposed", choices=jax_model.TRANSPOSED, help="this way only")
    work.add_timing_options(parser)
    options = parser.parse_args()
    model = work.Model(options.model)
    problem = work.Problem(model, options.problem)
    ways = [options.transposed] if options.transposed else jax_model.TRANSPOSED
    compiled = {
        how: jax.jit(jax_model.Posterior(model, problem, how).value_and_gradient(options.space))
        for how in ways}
    rows = []
    for lanes in options.lanes:
        positions = model.positions(lanes, options.space)
        steps = {}
        for how, function in compiled.items():
            given = jnp.asarray(positions, jnp.float32)
            values, gradients = (np.asarray(array, np.float64) for array in function(given))
            work.refuse_differences(
                f"JAX ({how})", model, problem, options.space, positions, values, gradients)
            steps[how] = lambda f=function, x=given: jax.block_until_ready(f(x))
        how, found = work.fastest(steps, lanes, options.repeats, options.seconds)
        rows.append(work.row(found, lanes=lanes, space=options.space, way=how))
    work.finish(options, {"gradient": rows}, jax=jax.__version__)


if __name__ == "__main__":
    main()

"""Log posterior and its gradient per second in PyTorch: eager, autograd, float32, two threads.

    torch_gradient.py MODEL [--problem PROBLEM] [--lanes 1 16 64 256] [--space z|u] [--json]

Several ways to call the transposed convolutions are tried and the fastest one is timed.
"""
import argparse

import numpy as np
import torch

import torch_model
import work


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--problem")
    parser.add_argument("--lanes", type=int, nargs="+", default=[1, 16, 64, 256])
    parser.add_argument("--space", choices=("z", "u"), default="z")
    parser.add_argument("--transposed", choices=torch_model.TRANSPOSED, help="this way only")
    work.add_timing_options(parser)
    options = parser.parse_args()
    torch.set_num_threads(work.THREADS)
    model = work.Model(options.model)
    problem = work.Problem(model, options.problem)
    ways = [options.transposed] if options.transposed else torch_model.TRANSPOSED
    posteriors = {how: torch_model.Posterior(model, problem, how) for how in ways}
    rows = []
    for lanes in options.lanes:
        positions = model.positions(lanes, options.space)
        steps = {}
        for how, posterior in posteriors.items():
            given = torch_model.single(positions)
            values, gradients = (
                array.numpy().astype(np.float64)
                for array in posterior.value_and_gradient(given, options.space))
            work.refuse_differences(
                f"PyTorch ({how})", model, problem, options.space, positions, values, gradients)
            steps[how] = lambda p=posterior, x=given: p.value_and_gradient(x, options.space)
        how, found = work.fastest(steps, lanes, options.repeats, options.seconds)
        rows.append(work.row(found, lanes=lanes, space=options.space, way=how))
    work.finish(options, {"gradient": rows}, torch=torch.__version__)


if __name__ == "__main__":
    main()

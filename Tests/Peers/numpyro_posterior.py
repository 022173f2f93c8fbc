"""Effective draws per second of NumPyro's NUTS on a fixed posterior problem.

    numpyro_posterior.py MODEL PROBLEM [--space u|z] [--metric diagonal|dense] [--chains 4]
        [--draws 200] [--warmup 300] [--method vectorized|parallel] [--json]

Chains start from draws of the prior. Seconds of sampling exclude compilation and warmup: JAX reports how
long it traced and compiled, and that is subtracted from the wall time of each phase. The figure is the
smallest bulk effective sample size over the coordinates of u, whatever the space, by seconds of sampling.
`vectorized` steps all chains as one batch, `parallel` gives each chain a device of its own; both share
two cores.
"""
import argparse
import os
import time

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("model")
parser.add_argument("problem")
parser.add_argument("--space", choices=("u", "z"), default="u")
parser.add_argument("--metric", choices=("diagonal", "dense"), default="diagonal")
parser.add_argument("--chains", type=int, default=4)
parser.add_argument("--draws", type=int, default=200)
parser.add_argument("--warmup", type=int, default=300)
parser.add_argument("--method", choices=("vectorized", "parallel"), default="vectorized")
parser.add_argument("--transposed", default="product")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--json", action="store_true")
options = parser.parse_args()
if options.method == "parallel":  # must be known before JAX starts
    os.environ["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "")
                               + f" --xla_force_host_platform_device_count={options.chains}")

import jax  # noqa: E402
import jax.monitoring  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402
import numpyro  # noqa: E402
import numpyro.distributions as dist  # noqa: E402
from numpyro.diagnostics import effective_sample_size, split_gelman_rubin  # noqa: E402

import jax_model  # noqa: E402
import work  # noqa: E402

# (from, to) of every stretch of tracing, lowering or compiling; traces lie inside each other.
stretches = []


def note_compilation(event, seconds, **_):
    if "/compile/" in event:
        now = time.perf_counter()
        stretches.append((now - seconds, now))


def phase(work_of_phase):
    """(seconds without compilation, seconds of compilation)."""
    stretches.clear()
    start = time.perf_counter()
    jax.block_until_ready(work_of_phase())
    wall = time.perf_counter() - start
    compilation, reached = 0.0, start
    for begin, end in sorted(stretches):
        compilation += max(0.0, end - max(begin, reached))
        reached = max(reached, end)
    return wall - compilation, compilation


def bulk_sizes(draws):
    """Bulk effective sample size of each coordinate of draws [chain, draw, K], and by whom."""
    try:
        import arviz
        return np.array([arviz.ess(draws[:, :, k], method="bulk")
                         for k in range(draws.shape[2])]), f"arviz {arviz.__version__}"
    except ImportError:
        return effective_sample_size(draws), f"numpyro {numpyro.__version__}, not rank-normalised"


def main():
    jax.monitoring.register_event_duration_secs_listener(note_compilation)
    model = work.Model(options.model)
    problem = work.Problem(model, options.problem)
    posterior = jax_model.Posterior(model, problem, options.transposed)

    # One position; NumPyro adds the axis of chains by vmap.
    def log_density(position):
        return posterior.log_density(position[None], options.space)[0]

    starts = model.positions(options.chains, options.space, seed=options.seed)
    values, gradients = jax.jit(jax.vmap(jax.value_and_grad(log_density)))(
        jnp.asarray(starts, jnp.float32))
    work.refuse_differences("NumPyro's density", model, problem, options.space, starts,
                            np.asarray(values, np.float64), np.asarray(gradients, np.float64))

    def prior_and_likelihood():
        normal = dist.Normal(jnp.zeros(model.latent), 1.0).to_event(1)
        u = numpyro.sample("u", normal)
        numpyro.factor("data", posterior.log_likelihood(posterior.codes(u[None]))[0])

    starts = jnp.asarray(starts, jnp.float32)
    settings = {"dense_mass": options.metric == "dense"}
    if options.space == "u":
        kernel, first = numpyro.infer.NUTS(prior_and_likelihood, **settings), {"u": starts}
    else:
        kernel = numpyro.infer.NUTS(potential_fn=lambda z: -log_density(z), **settings)
        first = starts
    mcmc = numpyro.infer.MCMC(
        kernel, num_warmup=options.warmup, num_samples=options.draws, num_chains=options.chains,
        chain_method=options.method, progress_bar=False)
    key = jax.random.key(options.seed)

    def warm_up():
        mcmc.warmup(key, init_params=first)
        return mcmc.post_warmup_state.z

    def sample():
        mcmc.run(mcmc.post_warmup_state.rng_key, extra_fields=("num_steps", "diverging"))
        return mcmc.get_samples(group_by_chain=True)

    warming, compiling_first = phase(warm_up)
    sampling, compiling_second = phase(sample)
    draws = mcmc.get_samples(group_by_chain=True)
    draws = draws["u"] if options.space == "u" else draws
    if options.space == "z":
        flat = draws.reshape(-1, model.latent)
        draws = jax.jit(lambda z: posterior.base(z)[0])(flat).reshape(draws.shape)
    draws = np.asarray(draws, np.float64)
    sizes, by = bulk_sizes(draws)
    extra = mcmc.get_extra_fields(group_by_chain=True)
    steps = np.asarray(extra["num_steps"])
    work.finish(options, {"posterior": [{
        "space": options.space, "metric": options.metric, "method": options.method,
        "chains": options.chains, "draws": options.draws, "warmup": options.warmup,
        "seconds_compiling": compiling_first + compiling_second, "seconds_warmup": warming,
        "seconds_sampling": sampling, "leapfrogs_per_draw": float(steps.mean()),
        "gradients": int(steps.sum()), "divergences": int(np.asarray(extra["diverging"]).sum()),
        "rhat_max": float(np.max(split_gelman_rubin(draws))), "ess_min": float(np.min(sizes)),
        "ess_by": by, "ess_per_second": float(np.min(sizes)) / sampling}]},
        jax=jax.__version__, numpyro=numpyro.__version__)


if __name__ == "__main__":
    main()

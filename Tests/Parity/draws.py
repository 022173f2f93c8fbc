"""Opens the draws.nc of result folders with ArviZ and holds its numbers against report.json.

Run by scripts/test-arviz (make test-arviz) as: python3 Tests/Parity/draws.py FOLDER...
"""

import json
import sys
import warnings

import numpy

warnings.simplefilter("ignore")
import arviz  # noqa: E402


def check(folder):
    run = arviz.from_netcdf(f"{folder}/draws.nc")
    report = json.load(open(f"{folder}/report.json"))
    posterior, stats = run.posterior, run.sample_stats
    assert posterior.sizes["chain"] == report["chains"]
    assert posterior.sizes["draw"] == report["draws"]
    # The report's diagnostics are those of ln σ and ln α; R-hat folds, so that the logarithm matters.
    for name in ("sigma", "residual_scale"):
        if name in posterior:
            posterior[name] = numpy.log(posterior[name])
    diagnostics = report["diagnostics"]

    def agrees(name, value, tolerance=2e-5):
        expected = diagnostics[name]
        print(f"{folder}: {name} {value:.6g}, report {expected}")
        assert abs(value - expected) <= tolerance * abs(expected), name

    def extreme(dataset, function):
        return float(function([function(values) for values in dataset.values()]))

    # summary rounds; its R-hat is that of rhat.
    table = arviz.summary(run, var_names=list(posterior.data_vars), round_to="none")
    rhat = extreme(arviz.rhat(posterior), numpy.max)
    assert abs(table["r_hat"].max() - rhat) < 1e-12
    agrees("rhat_max", rhat)
    agrees("ess_bulk_min", extreme(arviz.ess(posterior, method="bulk"), numpy.min))
    agrees("ess_tail_min", extreme(arviz.ess(posterior, method="tail"), numpy.min))
    agrees("ebfmi_min", arviz.bfmi(run).min())
    agrees("acceptance", float(stats["acceptance_rate"].mean()))
    agrees("leapfrogs_per_draw", float(stats["n_steps"].mean()))
    assert stats["diverging"].dtype == bool and int(stats["diverging"].sum()) == diagnostics["divergences"]
    assert float((stats["energy"] + stats["lp"]).min()) >= 0, "no kinetic energy is negative"

    observed = run.observed_data
    assert observed["observed"].dtype == bool
    assert bool((observed["data"].values[~observed["observed"].values] == 0).all())
    share = float(observed["observed"].mean())
    assert abs(share - report["image"]["observed_fraction"]) < 1e-6
    pictures = run.posterior_predictive["picture"]
    assert pictures.dims == ("chain", "draw", "channel", "row", "column")
    for group in run.groups():
        for name, values in run[group].items():
            assert bool(numpy.isfinite(values.astype(float)).all()), name


if __name__ == "__main__":
    for path in sys.argv[1:]:
        check(path)

"""Cohorts, simulated scans, and the best possible rule."""

import argparse

import cv2
import numpy as np
import pandas as pd
import pytest
import yaml

from snakescope import REPOSITORY
from snakescope.fibrosis.simulation import simulate as simulate_step
from snakescope.fibrosis.simulation.anatomy import draw_patient
from snakescope.fibrosis.simulation.cohort import cohort, shares
from snakescope.fibrosis.simulation.devices import DEVICES
from snakescope.fibrosis.simulation.oracle import class_of, oracle_table, posterior
from snakescope.fibrosis.simulation.settings import PRESETS, SimulateSettings
from snakescope.fibrosis.simulation.simulate import sheet, simulate
from snakescope.fibrosis.simulation.views import HIDDEN_DB, LEAST_SHARE, draw_view, shown
from snakescope.imaging.sector import fit_sector


def test_the_cohort_is_that_of_the_paper():
    planned = cohort(SimulateSettings(set="paper"))
    assert len(planned) == 118 and len({one.patient for one in planned}) == 78
    assert [sum(one.stage == s for one in planned) for s in range(5)] == [20, 20, 21, 34, 23]
    assert all(len({one.stage for one in planned if one.patient == p}) == 1
               for p in {one.patient for one in planned})  # fmt: skip
    assert shares((10, 10, 0, 10, 10), 5)[2] == 0


def test_a_confound_ties_the_device_to_the_stage():
    def devices(confound):
        planned = cohort(SimulateSettings(set="x", confound=confound))
        return {s: {one.device for one in planned if one.stage == s} for s in (0, 4)}

    honest, trap = devices(0.0), devices(1.0)
    assert len(honest[0]) == 3 and len(trap[0]) == len(trap[4]) == 1 and trap[0] != trap[4]


def test_a_scan_is_reproducible_and_has_its_sector():
    settings = SimulateSettings(set="x")
    planned = cohort(settings)[0]
    one, same = simulate(planned, settings), simulate(planned, settings)
    assert np.array_equal(one.image, same.image) and one.patient == same.patient
    other = simulate(planned, settings.model_copy(update={"seed": 2}))
    assert not np.array_equal(one.image, other.image)
    sector = fit_sector(one.image)
    inside = sector.mask(one.image.shape)
    assert sector.half_angle_deg == pytest.approx({"convex_a": 30, "convex_b": 33, "convex_c": 28}[
        planned.device], abs=1)  # fmt: skip
    assert (one.mask[~inside] == 0).mean() > 0.999
    assert 0.2 < (one.mask > 0).sum() / inside.sum() < 0.8
    assert 0.5 < one.nakagami < 1.6


def test_the_best_rule_on_the_latent_value():
    rng = np.random.default_rng(1)
    stage = np.repeat(np.arange(5), 4000)
    f = np.clip(stage / 4 + rng.normal(0, PRESETS["paper"].latent_sd, len(stage)), 0, 1.2)
    weights = np.array([20, 20, 21, 34, 23])
    stages = posterior(f, weights, PRESETS["paper"].latent_sd)
    found = np.stack([stages[:, :2].sum(1), stages[:, 2:4].sum(1), stages[:, 4]], axis=1)
    right = found.argmax(1) == class_of(stage)
    accuracy = np.average([right[stage == s].mean() for s in range(5)], weights=weights)
    assert 0.88 < accuracy < 0.93  # the preset, fixed before any training


def test_the_oracle_is_written_with_intervals():
    rng = np.random.default_rng(1)
    stage = np.repeat(np.arange(5), 6)
    truth = pd.DataFrame({"stage": [f"F{s}" for s in stage], "patient": np.arange(30),
                          "f": stage / 4 + rng.normal(0, 0.1, 30).clip(-0.2, 0.2),
                          "nakagami_m": 1 - stage / 10})  # fmt: skip
    table = oracle_table(truth, 0.1).set_index(["method", "metric"])
    assert table.at[("nakagami", "auc_ge_f2"), "value"] == 1
    assert 0.7 < table.at[("oracle", "accuracy"), "value"] <= 1


@pytest.mark.parametrize("name", ["demo", "benchmark"])
def test_the_sheets_of_the_examples_are_those_of_their_simulation(name):
    folder = REPOSITORY / f"config/examples/fibrosis_{name}"
    given = yaml.safe_load((folder / "config.yaml").read_text())["fibrosis"]["simulation"]
    settings = SimulateSettings.model_validate(given)
    wanted = sheet(settings, f"simulated/fibrosis/{settings.set}")
    assert wanted.equals(pd.read_csv(folder / "scans.tsv", sep="\t"))


def test_views_show_livers_of_any_kind_and_none():
    settings = SimulateSettings(set="v", preset="views", images=(6,) * 5, patients=30)
    shares, sectors = [], {}
    for planned in cohort(settings):
        one = simulate(planned, settings)
        # Depth and resolution differ, the sector of a device does not.
        if planned.device not in sectors:
            usual = simulate(planned, settings.model_copy(update={"preset": "paper"}))
            sectors[planned.device] = fit_sector(usual.image)
        inside = sectors[planned.device].mask(one.image.shape)
        assert (one.mask[~inside] == 0).mean() > 0.995 and np.isnan(one.nakagami)
        shares.append((one.mask > 0).sum() / inside.sum())
    assert 0.5 < np.mean(np.array(shares) > 0) < 0.98
    assert min(one for one in shares if one) < 0.15 and max(shares) > 0.4
    assert np.array_equal(one.image, simulate(planned, settings).image)


def test_what_is_hidden_is_not_drawn_as_liver():
    preset, device = PRESETS["views"], DEVICES["convex_a"]
    for seed in range(8):
        rng = np.random.default_rng(seed)
        view = draw_view(draw_patient(0, preset, rng), preset, device, rng)
        assert (view.shade[view.liver] > HIDDEN_DB).all()
        assert not view.liver.any() or view.liver.mean() >= LEAST_SHARE
        grey = shown(view, device, rng)
        assert grey.shape == view.level.shape and 0 <= grey.min() < grey.max() <= 1


def test_a_view_without_liver_has_no_mask_in_the_sheet(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = SimulateSettings(set="v", preset="views", images=(3,) * 5, patients=15)
    parser = argparse.ArgumentParser()
    simulate_step.add_arguments(parser)
    tables = [f"--{name}={name}.tsv" for name in ("sheet", "truth", "oracle")]
    given = ["--settings", settings.model_dump_json(), "--folder", "v", *tables]
    simulate_step.main(parser.parse_args(given))
    rows = pd.read_csv("sheet.tsv", sep="\t", keep_default_na=False)
    shown = [cv2.imread(f"v/{one.mask}", cv2.IMREAD_GRAYSCALE).any() for one in cohort(settings)]
    assert not all(shown) and [bool(one) for one in rows["mask"]] == shown

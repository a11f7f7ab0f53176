"""Tables 3, 4 and 12-15: settings and architectures, from what the program itself goes by."""

import pandas as pd
import pytest

from ecot.config import merge, validate
from ecot.products import base

SR, DN = "super_resolution", "denoising"
ARCHITECTURES = {"table_12", "table_13", "table_14", "table_15"}


@pytest.fixture
def config(tiny, all_modes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return validate(merge(tiny, all_modes))


def write(config, name):
    product = base.named(config, name)
    base.make(config, product)
    csv, md, tex = product.files(config)
    return md.read_text(), tex.read_text(), pd.read_csv(csv)


def test_settings_are_the_programs_own(config):
    text, tex, rows = write(config, "table_03")
    rows = rows.set_index(["task", "network"])
    assert rows.loc[(SR, "Critic"), "gradient penalty"] == "10"
    assert rows.loc[(DN, "Encoder"), ["lambda", "published lambda"]].tolist() == [0.003, 0.003]
    assert rows.loc[(SR, "Encoder"), ["lambda", "published lambda"]].tolist() == [0.01, 0.001]
    assert "Super-resolution: lambda 0.01 (published: 0.001)." in text
    assert "Denoising: lambda 0.003 (as published)." in text
    assert r"$\lambda$ & published $\lambda$ &" in tex
    text, _, rows = write(config, "table_04")
    assert "0 (frozen)" in text
    assert "Critic" not in set(rows.network), "the two-branch model has none unless a weight is set"


def test_settings_of_a_mode_that_is_left_out_have_no_table(tiny):
    there = set(base.products(validate(tiny)))
    assert "table_03" in there
    assert "table_04" not in there


def test_architectures_are_the_programs_own(config):
    """The networks at full width and the paper's longest codes, 32 bits with 4 levels and 114 bits with 8."""
    end_to_end = {"modes": {"end_to_end": {"rates": [12]}}}
    change = {SR: merge(end_to_end, {"width": 1.0, "modes": {"end_to_end": {"rates": [8, 32]}}})}
    change[DN] = merge(end_to_end, {"width": 1.0, "modes": {"end_to_end": {"rates": [12, 114]}}})
    full = validate(merge(config.model_dump(), {"tasks": change}))
    counts, texts = {}, {}
    for name in ARCHITECTURES:
        texts[name], _, rows = write(full, name)
        counts[name] = rows.groupby("network").parameters.sum().to_dict()
    assert counts["table_12"] == {"Encoder": 472_208, "Decoder": 328_129, "Critic": 1_030_145}
    assert counts["table_14"] == {"Encoder": 1_184_934, "Decoder": 648_967, "Critic": 1_033_345}
    assert counts["table_13"]["Decoder 1 and 2"] == counts["table_12"]["Decoder"]
    assert texts["table_15"].count("ResBlock") == 3
    assert "at width 1 and 16 latent dimensions" in texts["table_12"]


def test_the_code_of_the_networks_decides_their_tables(config):
    assert base.named(config, "table_12").modules == ("ecot.products.architecture_tables", "ecot.networks.digits")
    assert base.named(config, "table_14").modules == ("ecot.products.architecture_tables", "ecot.networks.street")
    assert base.named(config, "table_12").environment == "torch"


@pytest.mark.parametrize(
    ("left_out", "names"),
    [
        ({}, ARCHITECTURES),
        ({"tasks": {DN: None}}, {"table_12", "table_13"}),
        ({"tasks": {DN: {"modes": {"end_to_end": None, "joint": None, "separate": None}}}}, {"table_12", "table_13"}),
    ],
)
def test_networks_of_what_is_left_out_have_no_table(tiny, all_modes, left_out, names):
    there = set(base.products(validate(merge(merge(tiny, all_modes), left_out))))
    assert there & ARCHITECTURES == names

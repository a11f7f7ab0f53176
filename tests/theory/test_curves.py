"""The figures' data: what the paper's captions say about them, and the simulated points above their bounds."""

import subprocess
import sys

import numpy as np
import pytest

from ecot.theory import curves


def wide(frame, panel):
    return frame[frame.panel == panel].pivot_table(index="rate_bits", columns="curve", values="distortion")


def test_figure_3_shows_what_its_caption_says():
    frame = curves.figure_3()
    assert list(frame.columns) == ["panel", "curve", "rate_bits", "distortion"]
    a, b, c = (wide(frame, panel) for panel in "abc")
    below = {panel: data[data.index <= 0.88] for panel, data in zip("abc", (a, b, c), strict=True)}
    np.testing.assert_allclose(below["a"].d_ncr_upper, below["a"].d_ncr, atol=1e-12)  # (a) both bounds tight
    np.testing.assert_allclose(below["a"].d_ncr_lower, below["a"].d_ncr, atol=1e-12)
    np.testing.assert_allclose(below["b"].d_ncr_upper, below["b"].d_ncr, atol=1e-12)  # (b) only the upper one
    assert (below["b"].d_ncr - below["b"].d_ncr_lower).min() > 0.01
    inside = below["c"].loc[0.1:0.8]  # (c) neither
    assert (inside.d_ncr_upper - inside.d_ncr).min() > 1e-3
    assert (inside.d_ncr - inside.d_ncr_lower).min() > 0.01
    for data in below.values():
        assert (data.loc[0.05:0.85].d_ncr - data.loc[0.05:0.85].d_cr).min() > 1e-3


def test_the_ternary_source_begins_and_ends_like_figure_3():
    """Independent letters at rate 0, plain transport at the end; between, `test_neighbours` orders the functions."""
    data = wide(curves.ternary(points=2), "ternary")
    assert list(data.index) == [0, 1.2]
    others = data.drop(columns="distortion_rate")
    np.testing.assert_allclose(others.loc[0], 1.58, atol=1e-9)
    np.testing.assert_allclose(others.loc[1.2], 0.6, atol=1e-9)
    assert (data.distortion_rate < [0.71, 0.1]).all()


def test_figure_6_is_a_plan():
    frame = curves.figure_6()
    np.testing.assert_allclose(frame.groupby("stage").mass.sum(), 1)
    q_x, q_y, _ = curves.FIGURE_6
    assert frame[(frame.stage == "quantise") & (frame.source == 1)].mass.sum() == pytest.approx(q_x)
    assert frame[(frame.stage == "dequantise") & (frame.target == 1)].mass.sum() == pytest.approx(q_y)


def test_figure_7_falls_to_the_limit():
    frame = curves.figure_7()
    left = wide(frame, "left")
    assert left.wasserstein2.nunique() == 1
    assert (left.d_ncr_upper >= left.wasserstein2).all()
    assert (left.transport_cost <= left.wasserstein2 + 1e-12).all()
    assert set(frame[frame.panel == "right"].curve) == {"quantisation", "dequantisation"}


def test_figure_8_shows_what_its_caption_says():
    frame = curves.figure_8()
    a, b = wide(frame, "a"), wide(frame, "b")
    np.testing.assert_allclose(a.d_ncr_lower, a.d_ncr, atol=1e-12)
    assert (b.d_ncr - b.d_ncr_lower).min() > 0.9
    for data in (a, b):
        assert (data.d_ncr - data.d_cr).iloc[1:-1].min() > 1e-3


def test_every_simulated_point_lies_above_its_bound():
    points = curves.operating_points()
    assert (points.distortion > points.bound + 1e-4).all()
    for _, group in points.groupby(["panel", "randomness"]):
        assert (np.diff(group.sort_values("rate_bits").distortion) < 0).all()
    pairs = points.pivot_table(index=["panel", "levels"], columns="randomness", values="distortion")
    assert (pairs["common"] < pairs["independent"]).all()


def test_more_shared_bits_never_hurt():
    frame = curves.shared_bits([0, 1, 2, np.inf])
    assert list(frame.columns) == ["panel", "curve", "shared_bits", "rate_bits", "distortion"]
    data = frame.pivot(index="shared_bits", columns=["panel", "curve"], values="distortion")
    assert (data.diff().dropna() <= 1e-9).all(axis=None)
    three, normal = data["ternary"], data["gaussian"]
    assert (three.d_limited_asymptotic_lower <= three.d_limited_asymptotic + 1e-12).all()
    assert (three.d_limited_lower <= three.d_limited + 1e-12).all()
    assert (three.d_limited_asymptotic_lower <= three.d_limited_lower + 1e-7).all()
    assert (normal.d_limited < normal.scheme).all()  # no scheme of this rate does better
    assert frame[frame.panel != "ternary"].rate_bits.unique() == [2]


def test_theory_imports_no_torch():
    code = (
        "import sys; import ecot.theory.curves, ecot.theory.finite, ecot.theory.images; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

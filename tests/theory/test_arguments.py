"""One checker serves all functions: what is no number, no law or no rate is named, whatever function it is given
to."""

from fractions import Fraction

import numpy as np
import pytest

from ecot.theory import binary, finite, gaussian, squared, uniform

NO_NUMBERS = ["1", b"1", True, None, 1j, [0.1, "0.2"], [0.1, True], [[0.1], [0.2, 0.3]], np.array([True]), object()]
FAIR, HAMMING = [0.5, 0.5], [[0, 1], [1, 0]]
OF_RATE = {
    "binary.d_ncr": lambda r: binary.d_ncr(0.3, 0.5, r),
    "binary.d_cr": lambda r: binary.d_cr(0.3, 0.5, r),
    "binary.ncr_plan": lambda r: binary.ncr_plan(0.3, 0.5, r),
    "binary.d_ncr_asymptotic_lower": lambda r: binary.d_ncr_asymptotic_lower(0.3, 0.5, r),
    "uniform.d_ncr_upper": lambda r: uniform.d_ncr_upper(1, 2, r),
    "gaussian.d_ncr": lambda r: gaussian.d_ncr(0, 1, 0, 1, r),
    "gaussian.d_ncr_upper": lambda r: gaussian.d_ncr_upper(0, 1, 0, 1, r),
    "gaussian.cr_plan": lambda r: gaussian.cr_plan(0, 1, 0, 1, r),
    "finite.d_cr": lambda r: finite.d_cr(FAIR, FAIR, HAMMING, r),
    "finite.solve_cr": lambda r: finite.solve_cr(FAIR, FAIR, HAMMING, r),
    "finite.d_ncr": lambda r: finite.d_ncr(FAIR, FAIR, HAMMING, r),
    "finite.solve_ncr": lambda r: finite.solve_ncr(FAIR, FAIR, HAMMING, r),
    "finite.d_cr_asymptotic": lambda r: finite.d_cr_asymptotic(FAIR, FAIR, HAMMING, r),
    "finite.solve_cr_asymptotic": lambda r: finite.solve_cr_asymptotic(FAIR, FAIR, HAMMING, r),
    "finite.d_ncr_asymptotic": lambda r: finite.d_ncr_asymptotic(FAIR, FAIR, HAMMING, r),
    "finite.solve_ncr_asymptotic": lambda r: finite.solve_ncr_asymptotic(FAIR, FAIR, HAMMING, r),
    "finite.distortion_rate": lambda r: finite.distortion_rate(FAIR, HAMMING, r),
    "squared.d_mse": lambda r: squared.d_mse(FAIR, [0, 1], r),
    "squared.d_mse_asymptotic": lambda r: squared.d_mse_asymptotic(FAIR, [0, 1], r),
    "squared.d_ncr_upper": lambda r: squared.d_ncr_upper(FAIR, [0, 1], FAIR, [0, 1], r),
    "squared.d_ncr_lower_sharper": lambda r: squared.d_ncr_lower_sharper(FAIR, [0, 1], FAIR, [0, 1], r),
}


@pytest.mark.parametrize("function", OF_RATE.values(), ids=OF_RATE)
@pytest.mark.parametrize("rate", [*NO_NUMBERS, -0.1, float("nan"), -np.inf])
def test_what_is_no_rate_is_named(function, rate):
    with pytest.raises(ValueError, match=r"^rate: "):
        function(rate)


@pytest.mark.parametrize("function", OF_RATE.values(), ids=OF_RATE)
def test_every_function_knows_the_infinite_rate(function):
    """Without a constraint it is plain transport; nothing leaks from a solver."""
    found = function(np.inf)
    value = getattr(found, "upper", getattr(found, "distortion", found))
    assert isinstance(value, (float, gaussian.JointPlan, binary.QuantisationPlan))
    if isinstance(value, float):
        assert np.isfinite(value)


@pytest.mark.parametrize("value", [*NO_NUMBERS, np.inf, 1e200, float("nan")])
def test_what_is_no_parameter_is_named(value):
    for name, function in {
        "mu_x": lambda v: gaussian.d_ncr(v, 1, 0, 1, 1),
        "sigma_x": lambda v: gaussian.d_ncr(0, v, 0, 1, 1),
        "sigma_y": lambda v: gaussian.d_ncr_lower(0, 1, 0, v, 1),
        "q_x": lambda v: binary.d_cr(v, 0.5, 1),
        "a": lambda v: uniform.d_ncr_upper(v, 1, 1),
        "b": lambda v: uniform.wasserstein2(1, v),
    }.items():
        with pytest.raises(ValueError, match=rf"^{name}: "):
            function(value)


@pytest.mark.parametrize("value", [*NO_NUMBERS[:-4], [[0, 1e200], [1, 0]], [[0, np.nan], [1, 0]], [[0, 1j], [1, 0]]])
def test_what_is_no_cost_is_named(value):
    for function in (finite.d_cr, finite.d_ncr, finite.d_cr_asymptotic, finite.d_ncr_asymptotic):
        with pytest.raises(ValueError, match=r"^cost: "):
            function(FAIR, FAIR, value, 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tolerance": -1}, r"^tolerance: "),
        ({"time_limit": 0}, r"^time_limit: must be positive"),
        ({"starts": 1.5}, r"^starts: a whole number"),
        ({"seed": -1}, r"^seed: "),
    ],
)
def test_options_of_the_search_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        finite.d_ncr(FAIR, FAIR, HAMMING, 0.5, **arguments)


def test_laws_in_single_precision_and_fractions():
    single = np.random.default_rng(3).dirichlet(np.ones(4)).astype(np.float32)
    assert finite.d_cr(single, [0.5, 0.5], np.zeros((4, 2)), 1) == 0
    tiny = np.full(3, 1 / 3, dtype=np.float32)
    assert finite.transport(tiny, tiny, 1 - np.eye(3)) == pytest.approx(0, abs=1e-12)
    third = [Fraction(1, 3)] * 3
    assert finite.transport(third, third, 1 - np.eye(3)) == pytest.approx(0, abs=1e-15)
    with pytest.raises(ValueError, match=r"^p_x: probabilities must sum to 1"):
        finite.transport([0.5, 0.5 + 1e-7], FAIR, HAMMING)


def test_none_is_not_called_nan():
    with pytest.raises(ValueError, match="numbers expected, got None"):
        binary.d_ncr(0.3, 0.5, None)

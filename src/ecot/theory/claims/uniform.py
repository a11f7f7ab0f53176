"""Uniform sources under squared error: A.6."""

import numpy as np

from ecot.theory import uniform
from ecot.theory.claims._sources import UNIFORM, entropy
from ecot.theory.claims._statement import EXACT, ROUNDING, SOLVED, SOLVER, Outcome, Statement


def uniform_transport() -> Outcome:
    """(39) by the quantile functions, and (43) at R = log2 N."""
    r = (np.arange(100_000) + 0.5) / 100_000
    apart, grid = 0.0, 0.0
    for a, b in UNIFORM:
        grid = max(grid, abs(float((((b - a) * r) ** 2).mean()) - uniform.wasserstein2(a, b)))
        N = np.arange(1, 17)
        cost = np.asarray(uniform.transport_cost(a, b, np.log2(N)))
        sums = [float((((2 * np.arange(1, n + 1) - 1) * (b - a) / (2 * n)) ** 2).mean()) for n in N]
        apart = max(apart, float(np.abs(cost - sums).max()))
    return Outcome(
        apart <= ROUNDING and grid <= SOLVER,
        f"(39) and the integral differ by at most {grid:.1e}, (43) and the sum over N <= 16 atoms by {apart:.1e}",
    )


def uniform_upper_bound() -> Outcome:
    """(44) at whole numbers of cells against the sum of its three terms."""
    apart = 0.0
    for a, b in UNIFORM:
        N = np.arange(1, 65)
        R = np.log2(N)
        errors = np.asarray(uniform.quantiser_error(a, R)) + uniform.quantiser_error(b, R)
        for bound in (errors + uniform.transport_cost(a, b, R), np.asarray(uniform.d_ncr_upper(a, b, R))):
            apart = max(apart, float(np.abs(bound - ((b - a) ** 2 / 3 + a * b / 6 / N**2)).max()))
    return Outcome(
        apart <= ROUNDING,
        f"N = 1 to 64: (44) and the sum of (46), (47), (50) and the bound itself differ by at most {apart:.1e}",
    )


def uniform_partition() -> Outcome:
    """The quantiser of (45): its entropy is the rate; (46) and (50) against sums over its cells."""
    R = np.linspace(0, 4, 33)
    cells = uniform.partition(R)
    rate, error, transport = 0.0, 0.0, 0.0
    for i, (n, c, other) in enumerate(zip(cells.n.astype(int), cells.first, cells.other, strict=True)):
        lengths = np.array([c] + [other] * (n - 1))
        middles = np.cumsum(lengths) - lengths / 2
        rate = max(rate, abs(entropy(lengths) - R[i]))
        for a, b in UNIFORM:
            error = max(error, abs(a**2 * (lengths**3).sum() / 12 - float(uniform.quantiser_error(a, R[i]))))
            direct = (b - a) ** 2 * float(lengths @ middles**2)
            transport = max(transport, abs(direct - float(uniform.transport_cost(a, b, R[i]))))
    inside = bool((cells.first <= 1 / cells.n + ROUNDING).all() and (cells.first > 0).all())
    return Outcome(
        max(rate, error, transport) <= ROUNDING and inside,
        f"33 rates up to 4 bits: entropy misses R by at most {rate:.1e}, (46) and (47) their sums by"
        f" {error:.1e}, (50)"
        f" by {transport:.1e}; 0 < c <= 1/N: {'yes' if inside else 'no'}",
    )


def uniform_limit() -> Outcome:
    """The bound approaches (39), at 2^(-2R), and stays above the lower bound of `uniform.d_ncr_lower`."""
    R = np.linspace(1, 20, 77)
    slopes, margin = [], np.inf
    for a, b in UNIFORM:
        limit = (b - a) ** 2 / 3
        excess = np.asarray(uniform.d_ncr_upper(a, b, R)) - limit
        slopes.append(excess * np.exp2(2 * R) / (a * b / 6))
        margin = min(margin, float((excess - np.asarray(uniform.d_ncr_lower(a, b, R)) + limit).min()))
    low, high = float(np.min(slopes)), float(np.max(slopes))
    return Outcome(
        low > 0.5 and high < 2 and margin >= -ROUNDING,
        f"1 to 20 bits: the excess over (39) is {low:.3f} to {high:.3f} times (ab/6) 2^(-2R), and never below a lower"
        " bound on all schemes",
    )


STATEMENTS = (
    Statement(
        "uniform_transport",
        "Uniform sources are (b-a)^2/3 apart, and their N-cell quantisations as (43) says.",
        "A.6, (39), (43)",
        f"(39) against the integral over quantiles {SOLVED}; (43) against the sum over atoms, N = 1 to 16, {EXACT}",
        uniform_transport,
    ),
    Statement(
        "uniform_upper",
        "At R = log2 N the upper bound is (b-a)^2/3 + (ab/6) 2^(-2R).",
        "A.6, (44)",
        f"(44) against the sum of (46), (47) and (50), N = 1 to 64, {EXACT}",
        uniform_upper_bound,
    ),
    Statement(
        "uniform_any_rate",
        "At any rate one cell of length c and N - 1 equal ones have entropy R, errors (46), (47) and transport (50).",
        "A.6, (45)-(50)",
        f"entropy, errors and transport summed over the cells, 33 rates up to 4 bits, {EXACT}; 0 < c <= 1/N",
        uniform_partition,
    ),
    Statement(
        "uniform_limit",
        "The upper bound approaches the optimal transport cost exponentially fast in R.",
        "Section 2.2, A.6",
        "1 to 20 bits: the excess over (39), divided by (ab/6) 2^(-2R), stays between 1/2 and 2 (it is 1 at R"
        " = log2 N);"
        " the bound stays above a lower bound on all schemes",
        uniform_limit,
    ),
)

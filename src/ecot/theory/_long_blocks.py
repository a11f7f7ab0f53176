"""The asymptotic problem without common randomness on finite alphabets (Theorem 5), by column generation.

    D = min E d(X, Y) over X - Z - Y with max{I(X;Z), I(Y;Z)} <= R.

An atom of Z is a pair (alpha, beta) of conditional laws of X and Y. Distortion, both informations and both
marginals are linear in the weights nu of the atoms, so this is a linear program over all pairs:

    min_{nu >= 0} sum nu alpha' C beta,  sum nu alpha = p_X,  sum nu beta = p_Y,
                  sum nu KL(alpha | p_X) <= R,  sum nu KL(beta | p_Y) <= R (or R + R_c).

New atoms come from minimising the reduced cost, alternately in alpha and in beta (each a softmin in closed
form) from many starting points. Every value found is attained; that pricing finds the global minimum is not
certified.
"""

import numpy as np
from scipy.special import rel_entr

from ecot.theory._arguments import FloatArray, IntArray
from ecot.theory._bottleneck import Coupling
from ecot.theory._linear import minimise

STARTS = 200
ALTERNATIONS = 60
NEW_ATOMS = 40
MAX_ROUNDS = 120
DAMPING = 0.5
TOLERANCE = 1e-5  # between the value and its dual, for costs of order one
SHARPEST = 1e-9  # multipliers below this count as this: softmin turns into min


def best_coupling(
    plan: Coupling, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rates: tuple[float, float]
) -> Coupling:
    """The best plan found for the program above, for costs (n, m) of order one and positive laws.

    `rates` bound I(X;Z) and I(Y;Z), and are equal without common randomness. `plan` is a feasible one to start from;
    since H(Z) bounds both informations, any one-shot plan is. However early the rounds end, the result is feasible
    and no worse.
    """
    rng = np.random.default_rng(0)
    # atoms (k, n), (k, m); the first one alone is feasible, whatever the rounding of the others
    alpha, beta = np.vstack([p_x, plan.channel_x().T]), np.vstack([p_y, plan.channel_y().T])
    right = np.concatenate([[-rate for rate in rates], p_x, p_y])
    centre, bound = np.zeros(0), -np.inf  # the multipliers of the largest value of the dual so far, and that value
    damping = 0.0
    best, least = plan, plan.distortion(cost)
    for _ in range(MAX_ROUNDS):
        try:
            program = minimise(
                (alpha @ cost * beta).sum(1),
                np.stack([_kl_bits(alpha, p_x), _kl_bits(beta, p_y)]),
                np.array(rates),
                np.concatenate([alpha.T, beta.T]),
                np.concatenate([p_x, p_y]),
            )
        except ArithmeticError:  # too many nearly equal atoms for the solver: what has been attained stands
            break
        if program.value < least:
            used = program.x > 0
            best = Coupling((program.x * alpha.T)[:, used], (program.x * beta.T)[:, used])
            least = program.value
        if program.value - bound <= TOLERANCE:
            break
        multipliers = np.concatenate([np.maximum(-program.multipliers_ub, SHARPEST), program.multipliers_eq])
        # pricing at the program's own multipliers makes them swing from round to round
        trial = damping * centre + (1 - damping) * multipliers if damping else multipliers
        starts = np.concatenate(
            [beta[program.x > 0], np.eye(p_y.size), rng.dirichlet(np.full(p_y.size, 0.5), STARTS)]
        )
        new_alpha, new_beta, reduced = _price(starts, p_x, p_y, cost, trial)
        chosen = _distinct(np.hstack([new_alpha, new_beta]), reduced)
        value = float(trial @ right + reduced[chosen[0]])
        damping = DAMPING if value > bound else 0.0  # after a round in vain the program's own multipliers help
        if value > bound:
            centre, bound = trial, value
        alpha, beta = np.vstack([alpha, new_alpha[chosen]]), np.vstack([beta, new_beta[chosen]])
    return best


def _price(
    beta: FloatArray, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, multipliers: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Local minima over (alpha, beta) of the reduced cost, from every row of `beta`, and their reduced costs.

    alpha' C beta + lam_x KL(alpha | p_X) + lam_y KL(beta | p_Y) - u.alpha - v.beta, multipliers (lam_x,
    lam_y, u, v).
    """
    lam_x, lam_y = multipliers[:2] / np.log(2)  # a nat, as in the softmin
    u, v = multipliers[2 : 2 + p_x.size], multipliers[2 + p_x.size :]
    for _ in range(ALTERNATIONS):
        alpha = _softmin(beta @ cost.T - u, p_x, lam_x)
        beta = _softmin(alpha @ cost - v, p_y, lam_y)
    informations = lam_x * rel_entr(alpha, p_x).sum(1) + lam_y * rel_entr(beta, p_y).sum(1)
    return alpha, beta, (alpha @ cost * beta).sum(1) + informations - alpha @ u - beta @ v


def _softmin(costs: FloatArray, p: FloatArray, lam: float) -> FloatArray:
    """The law minimising costs.law + lam KL(law | p), a row each."""
    least = costs.min(1, keepdims=True)
    weights = p * np.exp((least - costs) / lam)  # at least one of these is p_x itself
    return np.asarray(weights / weights.sum(1, keepdims=True))


def _distinct(rows: FloatArray, values: FloatArray) -> IntArray:
    """Indices of the NEW_ATOMS rows of least value, the least first, that differ from one another."""
    _, first = np.unique(np.round(rows, 6), axis=0, return_index=True)
    return np.asarray(first[np.argsort(values[first])][:NEW_ATOMS])


def _kl_bits(laws: FloatArray, p: FloatArray) -> FloatArray:
    return np.asarray(rel_entr(laws, p).sum(1) / np.log(2))

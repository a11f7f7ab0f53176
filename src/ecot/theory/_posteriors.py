"""A lower bound on distortions without common randomness, from how far X and Y can be known from Z.

Given Z, X and Y are independent. With f(x) and g(y) taken out of the cost such that its means under p_Y and under p_X
are zero, it is sum_i s_i u_i(x) v_i(y) with u_i, v_i of mean zero and variance one (singular value decomposition),
and

    E d(X, Y) = E d(X, Y') + sum_i s_i E(E[u_i(X)|Z] E[v_i(Y)|Z]) >= E d(X, Y') - sum_i s_i sqrt(V(u_i) V(v_i)),

Y' independent of X, by the inequality of Cauchy and Schwarz. V(u) = max Var E[u(X)|Z] with I(X;Z) <= R is one minus
the distortion-rate function of u(X) under squared error (52). For fair bits this is exact: u = 1 - 2 x, and Var
E[u|Z] = E(1 - 2a)^2 for the posterior a of one, (1 - 2 Hb^-1(t))^2 being concave in t, is largest where Hb(a) is
constant.
"""

import numpy as np

from ecot.theory._arguments import FloatArray
from ecot.theory._mixtures import scalar_mixture

TERMS = 3  # singular values for which V is computed; for the others V <= 1 will do


def posterior_bound(
    p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float, rate_y: float | None = None
) -> float:
    """The bound above for positive laws (n,), (m,), a cost (n, m), I(X;Z) <= rate and I(Y;Z) <= rate_y or rate."""
    rate_y = rate if rate_y is None else rate_y
    rows, columns = cost @ p_y, p_x @ cost
    independent = float(p_x @ rows)
    centred = cost - rows[:, None] - columns + independent
    U, s, V = np.linalg.svd(np.sqrt(p_x)[:, None] * centred * np.sqrt(p_y), full_matrices=False)
    known = np.ones_like(s)
    for i in range(min(TERMS, s.size)):
        if s[i] > 1e-12:
            known[i] = np.sqrt(_known(p_x, U[:, i], rate) * _known(p_y, V[i], rate_y))
    return independent - float(s @ known)


def _known(p: FloatArray, unit: FloatArray, rate: float) -> float:
    """V(u), from above, for u = unit / sqrt(p)."""
    u = unit / np.sqrt(p)
    return max(float(p @ (u - p @ u) ** 2) - scalar_mixture(p, u, rate).lower, 0.0)

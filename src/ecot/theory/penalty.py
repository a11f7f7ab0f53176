"""What the weight lambda of (15) does: optimal transport with a Huber cost, in place of the constraint on the law.

Systems are trained on E ||X - Y_hat||^2 / n + lambda W1(p_Y_hat, p_Y), where n is the number of values of an image
and W1 is the Wasserstein-1 distance in the L2 norm of a whole image: what a critic that is 1-Lipschitz in that norm
gives. Symbols: W is all that the decoder receives (code and dither), X_hat = E[X | W] the reconstruction of least
squared error, V = E ||X - X_hat||^2 / n its distortion. Distances |d| are L2 norms of images; distortions are squared
errors divided by n, to stand beside a mean squared error per pixel. lambda has the unit of |d| / n.

The law. For a fixed encoder, and outputs Y_hat that depend on W and on randomness of their own,

    min E ||X - Y_hat||^2 / n + lambda W1(p_Y_hat, p_Y)  =  V + min over plans of (X_hat, Y) of E h(|X_hat - Y|),
    h(d) = d^2 / n for d <= n lambda / 2,  and  lambda d - n lambda^2 / 4 beyond,

and an optimal output lies on the segment from X_hat to Y, at the distance min(|d|, n lambda / 2) from X_hat, with
d = Y - X_hat along an optimal plan. Hence for these outputs

    mse_input = V + E min(|d|, n lambda / 2)^2 / n,  at most V + n lambda^2 / 4,
    W1(p_Y_hat, p_Y) = E max(|d| - n lambda / 2, 0).

Proof. Y_hat and X are independent given W, so E ||X - Y_hat||^2 = n V + E ||X_hat - Y_hat||^2. Write W1 as the least
E ||Y_hat - Y|| over couplings, and glue that coupling to (X_hat, Y_hat): the problem is to minimise
E [||X_hat - Y_hat||^2 / n + lambda ||Y_hat - Y||] over laws of (X_hat, Y_hat, Y) with the given laws of X_hat and Y.
For each pair (x, y) the best output lies on the segment between them (its projection on it is no further from either
end), at a distance t from x; t^2 / n + lambda (|d| - t) is least at t = min(|d|, n lambda / 2), where it is h(|d|).
What is left is the least E h(|X_hat - Y|) over plans. In the optimal triple the cost of (Y_hat, Y) must be W1, or a
better coupling would lower the sum.

What it is not. The encoder is fixed. One that is trained along may choose a larger V if that lowers the sum, so with
plain(R), the least V at rate R, in the place of V the law is an approximation: mse_input may exceed
plain(R) + n lambda^2 / 4. (In examples of a few points it does.) A decoder that is a function of W
alone reaches the minimum only if the plan can be made a map of W. And a trained critic is 1-Lipschitz only about.

p_Y is met where every |d| <= n lambda / 2 along the plan, and then W1 = 0. The scale of that is
lambda* = 2 sqrt(w / n), where w = E |d|^2 / n is the least transport cost: below lambda* no optimal output has law
p_Y, above it p_Y is met if no move is longer than n lambda / 2, which is more than its root mean square says.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist

from ecot.theory._arguments import FloatArray, Values, array, distribution, non_negative, number, positive, result
from ecot.theory._transport import optimal_plan

__all__ = ["PenalisedTransport", "critical_weight", "huber_cost", "largest_move", "penalised_transport"]


@dataclass(frozen=True)
class PenalisedTransport:
    """The penalised problem of two finite laws at one weight, for a reconstruction X_hat that is given.

    `plan` (k, m) couples X_hat and Y. The output of a pair (x, y) is x + `shares` (k, m) of the way to y. Per pixel:
    `value`, the least E |X_hat - Y_hat|^2 / n + lambda W1(p_Y_hat, p_Y), and `mse`, its first term, which V is to be
    added to for the distortion of the input. `remaining` is W1(p_Y_hat, p_Y), an L2 norm.
    """

    plan: FloatArray
    shares: FloatArray
    value: float
    mse: float
    remaining: float


def largest_move(n: int, weight: float) -> float:
    """n lambda / 2: no output moves further than this, in the L2 norm, from the reconstruction.

    The last unit of a move by t costs 2 t / n and earns at most lambda.

    Parameters
    ----------
    n
        The number of values of an image, at least 1.
    weight
        lambda, not negative.

    Returns
    -------
    The distance.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(largest_move(784, 1e-2), 9)
    3.92
    """
    return number("n", n, 1) * number("weight", weight, 0) / 2


def huber_cost(distance: ArrayLike, n: int, weight: float) -> Values:
    """h(d) of the law above, per pixel: the least t^2 / n + lambda (d - t) over t >= 0.

    Parameters
    ----------
    distance
        d, a number or an array of them, not negative: L2 norms of images.
    n, weight
        As for `largest_move`.

    Returns
    -------
    The cost, of the distance's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> huber_cost([1.0, 10.0], 4, 2.0).tolist()
    [0.25, 16.0]
    """
    d, most = non_negative("distance", distance), largest_move(n, weight)
    kept = np.minimum(d, most)
    return result(kept**2 / n + weight * (d - kept))


def critical_weight(transport: float, n: int) -> float:
    """lambda* = 2 sqrt(w / n) for a least transport cost w per pixel: at a smaller weight the optimum misses p_Y.

    Proof. If p_Y is met, W1 = 0, so that every |d| <= n lambda / 2 along the plan, and then its root mean square
    sqrt(n w') <= n lambda / 2, where w' >= w is the plan's cost.

    Parameters
    ----------
    transport
        w, not negative.
    n
        The number of values of an image, at least 1.

    Returns
    -------
    The weight.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    Super-resolution (n = 784, w at least the Gelbrich floor .0350) and denoising (n = 3072, w about the noise's
    variance):

    >>> round(critical_weight(0.0350, 784), 5), round(critical_weight((20 / 255) ** 2, 3072), 5)
    (0.01336, 0.00283)
    """
    return 2 * float(np.sqrt(number("transport", transport, 0) / number("n", n, 1)))


def penalised_transport(
    X: ArrayLike, Y: ArrayLike, p_x: ArrayLike, p_y: ArrayLike, weight: float
) -> PenalisedTransport:
    """Solve the penalised problem of two laws of points.

    A linear program in the plan (network simplex). With samples in the place of laws it is an estimate: a finite
    sample's plan is longer than that of the laws.

    Parameters
    ----------
    X, Y
        Points as rows, shapes (k, n) and (m, n): reconstructions and clean images.
    p_x, p_y
        Their probabilities, shapes (k,) and (m,).
    weight
        lambda, positive.

    Returns
    -------
    The plan and what it gives.

    Raises
    ------
    ValueError
        For an argument that is no law, no such points or no such number; the message names it.

    Examples
    --------
    A reconstruction at 0, a target at 3, and n = 1: at weight 2 the output moves by 1, at 8 all the way.

    >>> found = penalised_transport([[0.0]], [[3.0]], [1.0], [1.0], 2.0)
    >>> found.mse, found.remaining, found.value
    (1.0, 2.0, 5.0)
    >>> found = penalised_transport([[0.0]], [[3.0]], [1.0], [1.0], 8.0)
    >>> found.mse, found.remaining, found.value
    (9.0, 0.0, 9.0)
    """
    x, p = _law("X", X, "p_x", p_x)
    y, q = _law("Y", Y, "p_y", p_y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"Y: points of {x.shape[1]} values expected, as in X, got {y.shape[1]}")
    n, lam = x.shape[1], positive("weight", weight)
    distance = np.asarray(cdist(x, y))
    cost = np.asarray(huber_cost(distance, n, lam))
    plan = optimal_plan(p, q, cost)
    kept = np.minimum(distance, largest_move(n, lam))
    shares = np.divide(kept, distance, out=np.ones_like(kept), where=distance > 0)
    return PenalisedTransport(
        plan,
        shares,
        float((plan * cost).sum()),
        float((plan * kept**2).sum()) / n,
        float((plan * (distance - kept)).sum()),
    )


def _law(name: str, points: ArrayLike, p_name: str, probabilities: ArrayLike) -> tuple[FloatArray, FloatArray]:
    values, p = array(name, points), distribution(p_name, probabilities)
    if values.ndim != 2 or values.shape != (p.size, values.shape[-1]) or values.shape[1] == 0:
        raise ValueError(f"{name}: points as rows expected, one for each entry of {p_name}, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: values must be finite")
    return values, p

"""What the samples of an image task say about its distortion, before anything is trained.

X are the degraded images and Y the clean ones, arrays (n, d), row i of one being made from row i of the other
(the two functions that read the pairs say so). Distortions are squared errors divided by d, to stand beside a
mean squared error per pixel; rates are bits per image.

Symbols: m_x, S_x and m_y, S_y are mean and covariance of X and Y (divided by n: the moments of the samples as
laws), kappa_1 >= ... >= kappa_d the singular values of S_x^(1/2) S_y^(1/2). Where the covariances commute
these are products of standard deviations along the common eigenvectors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from ecot.theory._arguments import FloatArray, Values, array, non_negative, result

# pandas and POT are imported by the functions that need them: they take two seconds, and who asks for moments, or
# only lists the measures, needs neither.
if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Moments",
    "bounds",
    "entropic_estimate",
    "gaussian_d_cr",
    "gaussian_d_ncr",
    "gelbrich_floor",
    "moments",
    "paired_upper_bound",
    "rate_zero",
    "sliced_wasserstein",
]

BISECTIONS = 200
ENTROPIC_SAMPLES = 500  # of each law; an n x n linear system a Newton step


@dataclass(frozen=True)
class Moments:
    """`dimension` d, `shift` ||m_x - m_y||^2, `variance` tr S_x + tr S_y, and `kappa` (d,)."""

    dimension: int
    shift: float
    variance: float
    kappa: FloatArray


def moments(X: ArrayLike, Y: ArrayLike) -> Moments:
    """Moments of two sets of images (n, d) and (n', d); pairs play no part.

    With fewer images than values, n < d, the covariances are singular and everything below speaks of the
    samples' own law, not of the law that they were drawn from.

    Parameters
    ----------
    X, Y
        Images as rows, shapes (n, d) and (n', d).

    Returns
    -------
    The moments.

    Raises
    ------
    ValueError
        For an argument that is no such array; the message names it.

    Examples
    --------
    >>> M = moments([[0.0, 0.0], [2.0, 0.0]], [[1.0, 0.0], [1.0, 4.0]])
    >>> M.shift, round(M.variance, 6), M.kappa.tolist()
    (4.0, 5.0, [0.0, 0.0])
    """
    x, y = _images("X", X), _images("Y", Y)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"Y: images of {x.shape[1]} values expected, as in X, got {y.shape[1]}")
    F_x, F_y = _factor(x), _factor(y)
    found = np.linalg.svd(F_x @ F_y.T, compute_uv=False)
    return Moments(
        x.shape[1],
        float(((x.mean(0) - y.mean(0)) ** 2).sum()),
        float((F_x**2).sum() + (F_y**2).sum()),
        np.pad(found, (0, x.shape[1] - found.size)),
    )


def gelbrich_floor(M: Moments) -> float:
    """Lower bound on W2^2(p_X, p_Y) / d for any laws with these moments.

    So it bounds the distortion of any system whose output has law p_Y, at any rate:

    ||m_x - m_y||^2 + tr(S_x + S_y - 2 (S_x^(1/2) S_y S_x^(1/2))^(1/2)), Gelbrich (1990).

    Parameters
    ----------
    M
        Moments of both sets of images.

    Returns
    -------
    The bound, per pixel.

    Examples
    --------
    >>> round(gelbrich_floor(moments([[0.0], [2.0]], [[1.0], [5.0]])), 6)  # means 2 apart, deviations 1 and 2
    5.0
    """
    return (M.shift + M.variance - 2 * float(M.kappa.sum())) / M.dimension


def sliced_wasserstein(X: ArrayLike, Y: ArrayLike, directions: ArrayLike) -> float:
    """Sliced W2^2 of two sets of images (n, d) and (n', d): the mean of W2^2 along columns of `directions`, (d, k).

    Over all directions a shift by v gives ||v||^2 / d, so it stands beside distortions per pixel as it is. Bonneel
    et al. (2015): Sliced and Radon Wasserstein barycenters of measures.

    Parameters
    ----------
    X, Y
        Images as rows, shapes (n, d) and (n', d).
    directions
        Vectors to project on, as columns, shape (d, k); their lengths play no part.

    Returns
    -------
    The mean squared distance.

    Raises
    ------
    ValueError
        For an argument that is no such array; the message names it.

    Examples
    --------
    >>> float(round(sliced_wasserstein([[0.0, 0.0]], [[3.0, 4.0]], [[1.0, 0.0], [0.0, 1.0]]), 6))  # 25 / 2
    12.5
    """
    x, y = _images("X", X), _images("Y", Y)
    U = array("directions", directions)
    if not x.shape[1] == y.shape[1] == U.shape[0]:
        raise ValueError(
            f"directions: shape (d, k) expected for images of {x.shape[1]} and {y.shape[1]} values, got {U.shape}"
        )
    from ecot.theory._transport import sliced_cost

    return sliced_cost(x, y, U / np.linalg.norm(U, axis=0))


def rate_zero(M: Moments) -> float:
    """Distortion E ||X - Y'||^2 / d at R = 0, where the output is independent of the input.

    Parameters
    ----------
    M
        Moments of both sets of images.

    Returns
    -------
    The distortion, per pixel.

    Examples
    --------
    >>> rate_zero(moments([[0.0], [2.0]], [[1.0], [5.0]]))
    9.0
    """
    return (M.shift + M.variance) / M.dimension


def paired_upper_bound(X: ArrayLike, Y: ArrayLike) -> float:
    """E ||X - Y||^2 / d over the true pairs: one plan, hence an upper bound on W2^2(p_X, p_Y) / d.

    Parameters
    ----------
    X, Y
        Paired images as rows, both of shape (n, d).

    Returns
    -------
    The bound, per pixel.

    Raises
    ------
    ValueError
        For an argument that is no such array; the message names it.

    Examples
    --------
    >>> paired_upper_bound([[0.0], [2.0]], [[1.0], [5.0]])
    5.0
    """
    x, y = _pairs(X, Y)
    return float(((x - y) ** 2).mean())


def gaussian_d_ncr(M: Moments, rate: ArrayLike) -> Values:
    """D_ncr of Gaussian vectors with these moments in the limit of long blocks, by reverse water-filling.

    ||m_x - m_y||^2 + tr S_x + tr S_y - 2 sum_i kappa_i (1 - 2^(-2 R_i)),  sum_i R_i = R,
    with 2^(-2 R_i) kappa_i = min(theta, kappa_i). A reference, not a bound, for sources that are not
    Gaussian.

    Proof. As in Theorem 8, I(X; X_hat) <= R lets Cov X_hat be S_x^(1/2) P S_x^(1/2) with -log2 det(I - P) / 2
    <= R, and Q likewise for Y; the best coupling has E <X_hat, Y_hat> = ||P^(1/2) S_x^(1/2) S_y^(1/2)
    Q^(1/2)||_*, at most sum_i sqrt(p_i q_i) kappa_i in the ordered eigenvalues (Horn), with equality when P
    and Q have the singular vectors for eigenvectors. sqrt(p_i q_i) is concave in both allocations, so they
    may be taken equal. No commuting needed.

    Parameters
    ----------
    M
        Moments of both sets of images.
    rate
        R in bits per image, a number or an array.

    Returns
    -------
    The distortion per pixel, of the rate's shape.

    Raises
    ------
    ValueError
        For a rate that is no number or negative.

    Examples
    --------
    >>> gaussian_d_ncr(moments([[0.0], [2.0]], [[1.0], [5.0]]), 1)  # (58)
    6.0
    """
    R = non_negative("rate", rate)
    kept = [float((M.kappa - np.minimum(M.kappa, _water_level(M.kappa, r))).sum()) for r in R.flat]
    return _with_correlation(M, np.reshape(kept, R.shape))


def gaussian_d_cr(M: Moments, rate: ArrayLike) -> Values:
    """D_cr of Gaussian vectors with these moments in the limit of long blocks, by rate allocation.

    ||m_x - m_y||^2 + tr S_x + tr S_y - 2 sum_i kappa_i sqrt(1 - 2^(-2 R_i)),  sum_i R_i = R,
    where all R_i > 0: with t_i = 2^(-2 R_i), kappa_i t_i / sqrt(1 - t_i) is the same for all i. A reference,
    not a bound, for sources that are not Gaussian.

    Proof. E <X, Y> = tr(S_x^(1/2) K S_y^(1/2)) with I(X;Y) >= -log2 det(I - K K') / 2; by von Neumann's
    inequality it is at most sum_i kappa_i times the i-th singular value of K, with equality for K with the
    singular vectors. No commuting needed.

    Parameters
    ----------
    M
        Moments of both sets of images.
    rate
        R in bits per image, a number or an array.

    Returns
    -------
    The distortion per pixel, of the rate's shape.

    Raises
    ------
    ValueError
        For a rate that is no number or negative.

    Examples
    --------
    >>> round(gaussian_d_cr(moments([[0.0], [2.0]], [[1.0], [5.0]]), 1), 6)  # (61)
    5.535898
    """
    R = non_negative("rate", rate)
    kappa = M.kappa[M.kappa > M.kappa[0] * np.finfo(float).eps] if M.kappa[0] > 0 else M.kappa[:0]
    kept = [float(kappa @ np.sqrt(1 - _remaining(kappa, r))) for r in R.flat]
    return _with_correlation(M, np.reshape(kept, R.shape))


def entropic_estimate(X: ArrayLike, Y: ArrayLike, rate: ArrayLike) -> Values:
    """Plug-in estimate of the asymptotic D_cr (Theorem 7) from samples: min E ||X - Y||^2 / d with I(X;Y) <= R.

    An estimate, not a bound: n samples know no more than log2 n bits, and their transport cost is biased. At
    most ENTROPIC_SAMPLES of each are used, evenly spaced, and the rate may be at most log2(n) / 2.

    Parameters
    ----------
    X, Y
        Images as rows, shapes (n, d) and (n', d).
    rate
        R in bits per image, a number or an array.

    Returns
    -------
    The distortion per pixel, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no such array, or for a rate that the samples do not support.

    Examples
    --------
    >>> entropic_estimate([[0.0], [1.0], [2.0], [3.0]], [[0.0], [1.0], [2.0], [3.0]], 0)
    2.5
    """
    x, y = (_thinned(_images(name, images)) for name, images in (("X", X), ("Y", Y)))
    R = non_negative("rate", rate)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"Y: images of {x.shape[1]} values expected, as in X, got {y.shape[1]}")
    most = np.log2(min(len(x), len(y))) / 2
    if (most < R).any():
        raise ValueError(f"rate: {len(x)} and {len(y)} samples support at most {most:.2f} bits, got {R.max():g}")
    cost = ((x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * x @ y.T) / x.shape[1]
    p, q = np.full(len(x), 1 / len(x)), np.full(len(y), 1 / len(y))
    from ecot.theory._transport import informed_plan

    found = [float((informed_plan(p, q, cost, float(r))[0] * cost).sum()) for r in R.flat]
    return result(np.reshape(found, R.shape))


def bounds(X: ArrayLike, Y: ArrayLike, rate: ArrayLike) -> pd.DataFrame:
    """All statements above as one tidy table, for paired images and rates in bits per image.

    Columns: bound; kind (`bound` holds for every source with these samples as its law, `reference` for
    Gaussian ones, `estimate` is a plug-in value); rate_bits (empty where the statement holds at every rate);
    distortion, per pixel. The entropic estimate stands at those rates that the samples support.

    Parameters
    ----------
    X, Y
        Paired images as rows, both of shape (n, d).
    rate
        Rates in bits per image, an array.

    Returns
    -------
    The table.

    Raises
    ------
    ValueError
        For an argument that is no such array; the message names it.

    Examples
    --------
    >>> bounds([[0.0], [2.0]], [[1.0], [5.0]], [0.0]).distortion.round(3).tolist()
    [5.0, 5.0, 9.0, 9.0, 9.0, 9.0]
    """
    x, y = _pairs(X, Y)
    R = np.atleast_1d(non_negative("rate", rate))
    M = moments(x, y)
    low = R[np.log2(min(len(x), ENTROPIC_SAMPLES)) / 2 >= R]
    everywhere = np.array([np.nan])
    parts = [
        ("gelbrich_floor", "bound", everywhere, gelbrich_floor(M)),
        ("paired_upper_bound_on_transport", "bound", everywhere, paired_upper_bound(x, y)),
        ("rate_zero", "bound", np.array([0.0]), rate_zero(M)),
        ("gaussian_d_ncr", "reference", R, gaussian_d_ncr(M, R)),
        ("gaussian_d_cr", "reference", R, gaussian_d_cr(M, R)),
        ("entropic_d_cr", "estimate", low, entropic_estimate(x, y, low)),
    ]
    import pandas as pd

    return pd.concat(
        [pd.DataFrame({"bound": b, "kind": k, "rate_bits": r, "distortion": D}) for b, k, r, D in parts],
        ignore_index=True,
    )


def _images(name: str, images: ArrayLike) -> FloatArray:
    values = array(name, images)
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(f"{name}: images as rows expected, shape (n, d), got {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"{name}: values must be finite")
    return values


def _pairs(X: ArrayLike, Y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    x, y = _images("X", X), _images("Y", Y)
    if x.shape != y.shape:
        raise ValueError(f"Y: shape {x.shape} expected, a row for every row of X, got {y.shape}")
    return x, y


def _factor(images: FloatArray) -> FloatArray:
    """F with F' F = S and at most d rows.

    Any two of these differ by an orthogonal matrix on the left, so that F_x F_y' has the singular values of
    S_x^(1/2) S_y^(1/2). With few images the centred images will do, and nothing d x d is decomposed.
    """
    F = (images - images.mean(0)) / np.sqrt(len(images))
    if F.shape[0] > F.shape[1]:
        values, vectors = np.linalg.eigh(F.T @ F)
        F = (vectors * np.sqrt(np.maximum(values, 0))).T
    return np.asarray(F)


def _with_correlation(M: Moments, kept: FloatArray) -> Values:
    """Distortion per pixel where E <X - m_x, Y - m_y> = kept."""
    return result((M.shift + M.variance - 2 * kept) / M.dimension)


def _water_level(kappa: FloatArray, rate: float) -> float:
    """theta with sum_i max(log2(kappa_i / theta), 0) / 2 = rate, for kappa in falling order.

    With the k largest above the water, log2 theta = (sum of their log2 kappa - 2 rate) / k; k is the largest
    for which all of these are above it.
    """
    positive = kappa[kappa > 0]
    if positive.size == 0:
        return 0.0
    logs = np.log2(positive)
    levels = (np.cumsum(logs) - 2 * rate) / np.arange(1, logs.size + 1)
    k = int((levels <= logs).sum())
    return float(np.exp2(levels[k - 1]))


def _remaining(kappa: FloatArray, rate: float) -> FloatArray:
    """t_i = 2^(-2 R_i) with kappa_i t_i / sqrt(1 - t_i) = s for all i and sum_i R_i = rate; bisection on log
    s.

    The positive root of kappa^2 t^2 + s^2 t - s^2 = 0 is t = 2 / (1 + sqrt(1 + (2 kappa / s)^2)).
    """
    if rate == 0 or kappa.size == 0:
        return np.ones_like(kappa)
    if rate == np.inf:
        return np.zeros_like(kappa)

    def t(log_s: float) -> FloatArray:
        return np.asarray(2 / (1 + np.sqrt(1 + (2 * kappa / np.exp(log_s)) ** 2)))

    low, high = np.log(kappa[-1]) - 150.0, np.log(kappa[0]) + 40.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        spent = -0.5 * np.log2(t(middle)).sum()
        low, high = (middle, high) if spent > rate else (low, middle)
    return t((low + high) / 2)


def _thinned(images: FloatArray) -> FloatArray:
    return images[:: max(1, -(-len(images) // ENTROPIC_SAMPLES))]

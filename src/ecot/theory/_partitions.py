"""The one-shot quantiser of a finite source of points under squared error (4), exactly.

    D_mse(R) = min E |X - E[X|Z]|^2  over the channels from X to Z with H(Z) <= R.

E |X - E[X|Z]|^2 is concave in the joint law of X and Z, whose set is a product of simplices, and H(Z) <= R excludes a
convex set. So the minimum lies on an edge of the product (Hillestad and Jacobsen 1980): every letter but one goes to
one cell, and one letter is split between two cells. On an edge both the distortion and H(Z) are concave in the share
of the split, hence the best share is 0, 1 or one at which H(Z) = R. All edges are tried.
"""

from itertools import combinations

import numpy as np
from scipy.special import entr

from ecot.theory._arguments import FloatArray, IntArray

MOST_LETTERS = (
    8  # 8 x 877 partitions of the others x 28 pairs of cells; with one letter more it takes ten times as long
)
BISECTIONS = 60


def best_quantiser(p: FloatArray, points: FloatArray, rate: float) -> FloatArray:
    """p_xz (n, k) of the optimum; p (n,) positive, points (n, d)."""
    n = p.size
    cells = _partitions(n - 1)
    A, B = np.array(list(combinations(range(n), 2)), dtype=np.intp).reshape(-1, 2).T
    best, least = p[:, None], _distortion(p[:, None], points)
    for x in range(n):
        others = np.arange(n) != x
        to = (cells[:, None, :] == np.arange(n)[:, None]).astype(np.float64)  # (partitions, cell, other letter)
        theta, moment = to @ p[others], to @ (p[others, None] * points[others])
        H, saved = entr(theta).sum(1, keepdims=True), _saved(theta, moment).sum(1, keepdims=True)
        mass, first = p[x], p[x] * points[x]
        H = H - entr(theta[:, A]) - entr(theta[:, B])
        saved = saved - _saved(theta, moment)[:, A] - _saved(theta, moment)[:, B]

        def entropy(t: FloatArray, H: FloatArray = H, theta: FloatArray = theta, mass: float = mass) -> FloatArray:
            split = entr(theta[:, A] + (1 - t) * mass) + entr(theta[:, B] + t * mass)
            return np.asarray((H + split) / np.log(2))

        peak = np.clip((theta[:, A] - theta[:, B] + mass) / (2 * mass), 0, 1)  # both cells weigh the same
        for end in (np.zeros_like(peak), np.ones_like(peak)):
            possible = entropy(end) <= rate
            inside, outside = end, peak
            for _ in range(BISECTIONS):
                middle = (inside + outside) / 2
                fits = entropy(middle) <= rate
                inside, outside = np.where(fits, middle, inside), np.where(fits, outside, middle)
            for t in (end, inside):
                split = _saved(theta[:, A] + (1 - t) * mass, moment[:, A] + (1 - t)[..., None] * first)
                split = split + _saved(theta[:, B] + t * mass, moment[:, B] + t[..., None] * first)
                score = np.where(possible, saved + split, -np.inf)
                s, pair = np.unravel_index(int(score.argmax()), score.shape)
                if np.isneginf(score[s, pair]):
                    continue
                joint = np.zeros((n, n))
                joint[others, cells[s]] = p[others]
                joint[x, A[pair]], joint[x, B[pair]] = (1 - t[s, pair]) * mass, t[s, pair] * mass
                joint = joint[:, joint.sum(0) > 0]
                if _distortion(joint, points) < least:
                    best, least = joint, _distortion(joint, points)
    return np.asarray(best)


def _distortion(joint: FloatArray, points: FloatArray) -> float:
    """E |X - E[X|Z]|^2."""
    centres = joint.T @ points / joint.sum(0)[:, None]
    return float((joint * ((points[:, None] - centres) ** 2).sum(2)).sum())


def _saved(theta: FloatArray, moment: FloatArray) -> FloatArray:
    """|sum of p x|^2 / mass of cells: what a cell keeps of E |X|^2."""
    return np.asarray((moment**2).sum(-1) / np.where(theta > 0, theta, 1.0))


def _partitions(n: int) -> IntArray:
    """All partitions of n letters: the cell of each, numbered in the order of appearance."""
    cells, used = np.zeros((1, 0), dtype=np.intp), np.zeros(1, dtype=np.intp)
    for _ in range(n):
        rows = np.repeat(np.arange(len(cells)), used + 1)
        new = np.concatenate([np.arange(k + 1) for k in used])
        cells = np.column_stack([cells[rows], new])
        used = np.maximum(used[rows], new + 1)
    return cells

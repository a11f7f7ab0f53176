"""What the solvers for finite alphabets return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import entr

from ecot.theory._arguments import FloatArray, IntArray, Values


@dataclass(frozen=True)
class Bracket:
    """A least value between two numbers, each of the rate's shape.

    `upper` is attained by a plan that was found, no plan goes below `lower`; `note` says what they are made of.
    """

    upper: Values
    lower: Values
    note: str


@dataclass(frozen=True)
class Plan:
    """A plan X - Z - Y without common randomness, and how good it is at best.

    p_xz (n, k) and p_yz (m, k) are the joint laws of X and Z and of Y and Z; they attain `upper`, and no plan goes
    below `lower`; `note` says what these are made of. The encoder draws Z by p_xz / p_x, the decoder Y by p_yz / p_z.
    """

    upper: float
    lower: float
    note: str
    p_xz: FloatArray
    p_yz: FloatArray

    @property
    def p_z(self) -> FloatArray:
        """Law of Z, shape (k,)."""
        return np.asarray(self.p_xz.sum(0))

    @property
    def p_xy(self) -> FloatArray:
        """Joint law of X and Y, (n, m)."""
        return np.asarray(self.p_xz @ (self.p_yz / self.p_z).T)

    @property
    def entropy(self) -> float:
        """H(Z) in bits: the rate, letter by letter."""
        return float(-(self.p_z * np.log2(self.p_z)).sum())

    @property
    def information(self) -> tuple[float, float]:
        """I(X;Z) and I(Y;Z) in bits: the larger one is the rate in long blocks."""
        return _information(self.p_xz), _information(self.p_yz)


@dataclass(frozen=True)
class PlanMixture:
    """Plans X - Z - Y of which the shared randomness picks one, and how good they are at best.

    With probability weights[u] the plan is that of the joint laws p_xz[u] and p_yz[u]; shapes (g, n, k), (g, m, k).
    This attains `upper`, and no mixture that the problem allows goes below `lower`; `note` says what these are made
    of. X has its law under every u, Y on the average.
    """

    upper: float
    lower: float
    note: str
    weights: FloatArray
    p_xz: FloatArray
    p_yz: FloatArray

    @property
    def p_z(self) -> FloatArray:
        """Law of Z under each u, shape (g, k)."""
        return np.asarray(self.p_xz.sum(1))

    @property
    def p_xy(self) -> FloatArray:
        """Joint law of X and Y, (n, m)."""
        p_z = self.p_z[:, None]
        channel = np.divide(self.p_yz, p_z, out=np.zeros_like(self.p_yz), where=p_z > 0)
        return np.asarray(np.einsum("u,uxz,uyz->xy", self.weights, self.p_xz, channel))

    @property
    def entropy(self) -> float:
        """H(Z|U) in bits: the rate."""
        return float(self.weights @ entr(self.p_z).sum(1) / np.log(2))


@dataclass(frozen=True)
class CommonRandomnessSolution:
    """A mixture of maps, and how good it is at best.

    With probability probabilities[k] the shared randomness picks the map x -> maps[k, x]; this attains
    `distortion`, and no mixture of maps goes below `lower_bound`; `note` says what the two are made of. At most
    m + 1 maps.
    """

    distortion: float
    lower_bound: float
    note: str
    maps: IntArray
    probabilities: FloatArray


@dataclass(frozen=True)
class JointLaw:
    """A joint law p_xy (n, m) that attains `distortion`; none that the problem allows goes below `lower_bound`."""

    distortion: float
    lower_bound: float
    p_xy: FloatArray


@dataclass(frozen=True)
class Quantisation:
    """A joint law p_xz (n, k) of a source and its cell that attains `distortion`; none goes below `lower_bound`."""

    distortion: float
    lower_bound: float
    p_xz: FloatArray


def _information(joint: FloatArray) -> float:
    """I in bits of a joint law."""
    x, z = np.nonzero(joint > 0)
    mass = joint[x, z]
    return float((mass * (np.log2(mass) - np.log2(joint.sum(1)[x]) - np.log2(joint.sum(0)[z]))).sum())

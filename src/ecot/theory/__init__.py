"""What the paper's Section 2 and Appendix A let one compute, for theorists.

`binary`, `uniform` and `gaussian` hold the closed forms, `finite` the solvers for any finite alphabet, `squared` the
quantisers and bounds of finite sources of points, `simulation` numerically designed dithered quantisers to set beside
the curves, `images` the bounds that follow from image samples alone, `penalty` what a weight on the
Wasserstein-1 distance does in place of the constraint on the output law, `curves` the data of the paper's analytic
figures, `claims` the paper's statements as computations. All rates and entropies are in bits. `Bracket` and `Plan`
are what the solvers for finite alphabets return.
"""

from ecot.theory._results import Bracket, Plan

__all__ = ["Bracket", "Plan"]

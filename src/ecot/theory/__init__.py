"""What the paper's Section 2 and Appendix A let one compute, for theorists.

`binary`, `uniform` and `gaussian` hold the closed forms, `finite` the solvers for any finite alphabet,
`simulation` numerically designed dithered quantisers to set beside the curves, `images` the bounds that
follow from image samples alone, `curves` the data of the paper's analytic figures. All rates and entropies
are in bits.
"""

"""The networks: the order of layers is that of Tables 12-15, the sizes are those of the authors' released code.

The tables name layer types only. `docs/choices.md` has the source of each choice.
"""

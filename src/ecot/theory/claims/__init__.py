"""The paper's theoretical statements (Sections 2.1 and 2.2, Appendices A.1 and A.3 to A.8) as computations.

`STATEMENTS` lists them; `check` of each computes what is stated, compares it with something that does not follow
from the same line of code (a linear program, a brute-force search, a sum over the atoms) and says what it found.
Rates are bits, distortions those of each source. Lemma 1 of A.5 is not among them: it speaks of infinite supports.
"""

from ecot.theory.claims import binary, gaussian, general, uniform
from ecot.theory.claims._statement import Outcome, Statement

__all__ = ["STATEMENTS", "Outcome", "Statement"]

STATEMENTS = (*general.STATEMENTS, *binary.STATEMENTS, *uniform.STATEMENTS, *gaussian.STATEMENTS)

"""Linear programs through scipy's HiGHS, tight and without silent failure."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linprog

from ecot.theory._arguments import FloatArray

# Nearly parallel columns can leave HiGHS undecided at the tightest tolerance that it accepts.
FEASIBILITIES = 1e-10, 1e-9, 1e-8
INFEASIBLE, UNDECIDED = 2, 4


@dataclass(frozen=True)
class LinearSolution:
    """A basic optimal solution, its value, and the multipliers of the two kinds of constraint."""

    x: FloatArray
    value: float
    multipliers_ub: FloatArray
    multipliers_eq: FloatArray


def minimise(c: FloatArray, A_ub: FloatArray, b_ub: FloatArray, A_eq: FloatArray, b_eq: FloatArray) -> LinearSolution:
    """min c.x subject to A_ub x <= b_ub, A_eq x = b_eq, x >= 0.

    Raises ArithmeticError where no optimum is found.
    """
    # its presolve has called programs infeasible that have a feasible point: it is not believed in that
    for presolve, feasibility in [*((True, f) for f in FEASIBILITIES), (False, FEASIBILITIES[0])]:
        program = linprog(
            c,
            A_ub=A_ub,
            b_ub=b_ub,
            A_eq=A_eq,
            b_eq=b_eq,
            method="highs",
            options={
                "presolve": presolve,
                "primal_feasibility_tolerance": feasibility,
                "dual_feasibility_tolerance": feasibility,
            },
        )
        if program.status not in (UNDECIDED, INFEASIBLE):
            break
    if program.status != 0 or program.x is None or program.fun is None:
        raise ArithmeticError(f"linear program not solved: {program.message}")
    return LinearSolution(
        np.asarray(program.x),
        float(program.fun),
        np.asarray(program.ineqlin.marginals),
        np.asarray(program.eqlin.marginals),
    )

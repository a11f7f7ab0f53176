"""What a test of files and commands may leave out: computations that take long and are tested elsewhere."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from ecot import config as configuration
from ecot.data.arrays import Split
from ecot.evaluation.classifier import fit
from ecot.paper import checks
from ecot.products import base
from ecot.theory import claims as theory

REPOSITORY = Path(__file__).resolve().parents[1]


def quick(patch: pytest.MonkeyPatch, products: tuple[str, ...]) -> None:
    """The classifier's epochs, the theory's statements, what the published numbers say of claims, other products."""
    patch.setattr(logging, "basicConfig", lambda **_: None)
    patch.setattr("ecot.evaluation.classifier.EPOCHS", 1)
    patch.setattr("ecot.evaluation.job.fit", lambda split, device: fit(Split(*(part[:64] for part in split)), device))
    holds = theory.Statement("holds", "1 is 1.", "Nowhere", "a test", lambda: theory.Outcome(True, "1 = 1"))
    patch.setattr(theory, "STATEMENTS", (holds,))
    claims = checks.claims
    patch.setattr(checks, "claims", lambda *of: [replace(claim, published=None) for claim in claims(*of)])
    base.products(configuration.load(REPOSITORY / "config.yaml"))  # declares all
    few = [
        lambda config, family=family: [product for product in family(config) if product.name in products]
        for family in base._families
    ]
    patch.setattr(base, "_families", few)

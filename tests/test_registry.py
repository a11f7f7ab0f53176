"""Registries: what people add, by name."""

from dataclasses import dataclass

import pytest

from ecot.errors import EcotError
from ecot.registry import Registry


@dataclass(frozen=True)
class Thing:
    name: str
    size: int = 0


@pytest.fixture
def things():
    registry = Registry("thing")
    for name in ("gamma", "alpha", "beta"):
        registry.register(Thing(name))
    return registry


def test_things_are_found_by_name_in_the_order_of_their_registration(things):
    assert things["alpha"] == Thing("alpha")
    assert list(things) == ["gamma", "alpha", "beta"]
    assert [thing.name for thing in things.values()] == ["gamma", "alpha", "beta"]
    assert len(things) == 3


def test_registering_returns_the_thing():
    thing = Thing("alpha")
    assert Registry("thing").register(thing) is thing


def test_the_same_thing_may_be_registered_again_and_another_one_of_its_name_not(things):
    things.register(Thing("alpha"))
    with pytest.raises(EcotError, match="two things have the name 'alpha'; give one of them another name"):
        things.register(Thing("alpha", 1))
    assert things["alpha"] == Thing("alpha")
    assert len(things) == 3


def test_an_unknown_name_is_refused_with_what_there_is(things):
    with pytest.raises(EcotError) as error:
        things["alpah"]
    assert str(error.value) == "there is no thing 'alpah'; did you mean alpha? allowed: gamma, alpha, beta"
    with pytest.raises(EcotError) as error:
        things["zzz"]
    assert str(error.value) == "there is no thing 'zzz'; allowed: gamma, alpha, beta"


@pytest.mark.parametrize("name", ["alpah", 3, None, ["alpha"], {}])
def test_what_a_configuration_may_hold_in_place_of_a_name_is_in_no_registry(things, name):
    assert name not in things


def test_registries_are_separate(things):
    assert "alpha" not in Registry("thing")

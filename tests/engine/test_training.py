"""The training loop: the two players, the schedule, and what an observer is told."""

import numpy as np
import pytest
import torch

from ecot.data.arrays import load
from ecot.engine.feed import Feed
from ecot.engine.loop import Progress, Silent, fit
from ecot.engine.messages import NotFiniteError
from ecot.engine.training import Training, make_trainer
from ecot.errors import MistakeError
from ecot.systems.objectives import gradient_penalty, squared_error, wasserstein_1

CPU = torch.device("cpu")


@pytest.fixture
def pair(datasets, settings):
    """A trainer and its feed."""

    def make(**cell):
        made = settings(**cell)
        return make_trainer(made, CPU), Feed(load(datasets / f"{made.dataset}.npz", "train", 128).images, made, CPU)

    return make


def end_to_end(**schedule):
    return {"tasks": {"super_resolution": {"modes": {"end_to_end": schedule}}}}


def parameters(module):
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


def test_objective_terms_are_their_definitions(pair):
    trainer, feed = pair()
    batch = next(feed.epoch(1))
    generated = trainer.system(batch.x, batch.u).output.detach()
    h = trainer.critic
    x, g = batch.x.numpy(), generated.numpy()
    assert float(squared_error(batch.x, generated)) == pytest.approx(float(((x - g) ** 2).mean()), rel=1e-5)
    expected = float((h(batch.clean).mean() - h(generated).mean()).detach())
    assert float(wasserstein_1(h, batch.clean, generated).detach()) == pytest.approx(expected)
    points = (batch.position * generated + (1 - batch.position) * batch.clean).requires_grad_()
    (gradient,) = torch.autograd.grad(h(points).sum(), points, create_graph=True)
    reference = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    penalty = gradient_penalty(h, batch.clean, generated, batch.position).detach()
    assert float(penalty) == pytest.approx(float(reference.detach()), rel=1e-5)


def test_each_step_moves_its_own_player_only(pair):
    trainer, feed = pair()
    batch = next(feed.epoch(1))
    system, critic = parameters(trainer.system), parameters(trainer.critic)
    trainer.critic_step(batch)
    assert torch.equal(parameters(trainer.system), system)
    assert not torch.equal(parameters(trainer.critic), critic)
    critic = parameters(trainer.critic)
    trainer.generator_step(batch)
    assert not torch.equal(parameters(trainer.system), system)
    assert torch.equal(parameters(trainer.critic), critic)


def test_the_critic_learns_to_tell_and_the_weight_matters(pair):
    """On fixed batches the critic's estimate grows; a large lambda changes what the system does."""
    trainer, feed = pair()
    batch = next(feed.epoch(1))
    estimates = [float(trainer.critic_step(batch)["wasserstein"]) for _ in range(20)]
    assert estimates[-1] > estimates[0] + 0.01
    other, _ = pair(change=end_to_end(distribution_weight=10.0))
    other.critic.load_state_dict(trainer.critic.state_dict())
    for player in (trainer, other):
        player.generator_step(batch)
    assert not torch.equal(parameters(trainer.system), parameters(other.system))


def test_critic_and_generator_alternate(pair):
    trainer, feed = pair()
    batch = next(feed.epoch(1))
    losses = [list(trainer.step(number, batch)) for number in range(4)]
    assert losses == [["wasserstein", "penalty"], ["distortion"]] * 2


def test_the_critic_takes_as_many_steps_as_it_is_set_to(pair):
    trainer, feed = pair(change={"training": {"critic_steps": 3, "batch_size": 16}})
    batch = next(feed.epoch(1))
    losses = [list(trainer.step(number, batch)) for number in range(8)]
    assert losses == [*[["wasserstein", "penalty"]] * 3, ["distortion"]] * 2


def test_images_that_fill_no_step_of_the_system_are_too_few(pair):
    """128 images are two batches: one for the critic and one for the system, but not two and one."""
    with pytest.raises(MistakeError, match=r"too large for 128 training images; a step of .* before it take 192"):
        pair(change={"training": {"critic_steps": 2}})


def test_without_a_weight_there_is_no_critic(pair):
    trainer, feed = pair(change=end_to_end(distribution_weight=0.0))
    assert trainer.critic is None
    assert [list(trainer.step(number, batch)) for number, batch in enumerate(feed.epoch(1))] == [["distortion"]] * 2


def test_initial_weights_are_those_of_the_cell(pair):
    """Whatever torch's own generator has given before, and others for another seed or another cell."""
    first = parameters(pair()[0].system)
    torch.rand(7)
    assert torch.equal(parameters(pair()[0].system), first)
    for other in ({"seed": 1}, {"randomness": "independent"}):
        assert not torch.equal(parameters(pair(**other)[0].system), first)


def test_the_frozen_tensors_are_loaded(settings):
    made = settings(mode="joint")
    frozen = {name: tensor + 1 for name, tensor in make_trainer(made, CPU).system.frozen.state_dict().items()}
    loaded = make_trainer(made, CPU, frozen).system.frozen.state_dict()
    assert all(torch.equal(tensor, frozen[name]) for name, tensor in loaded.items())


def test_the_rate_is_divided_once(pair):
    schedule = {"epochs": 4, "decays": {1: None, 2: 5.0}, "learning_rate": 1e-3}
    history = fit(*pair(change=end_to_end(**schedule)))
    assert [row["learning_rate"] for row in history] == pytest.approx([1e-3, 1e-3, 2e-4, 2e-4])
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]


def test_training_lowers_the_distortion(pair):
    history = fit(*pair(change=end_to_end(epochs=12, decays={1: None, 11: 5.0}, learning_rate=3e-3)))
    assert history[-1]["distortion"] < 0.6 * history[0]["distortion"]


def test_the_history_holds_the_mean_of_each_loss(pair):
    """Over the steps of its player, whose number differs where an epoch has an odd number of steps."""
    trainer, feed = pair(change={"training": {"batch_size": 42}} | end_to_end(epochs=1, decays={1: None}))
    taken, step = [], trainer.step
    trainer.step = lambda number, batch: taken.append(step(number, batch)) or taken[-1]
    (row,) = fit(trainer, feed)
    assert [list(losses) for losses in taken] == [
        ["wasserstein", "penalty"],
        ["distortion"],
        ["wasserstein", "penalty"],
    ]
    for name in ("wasserstein", "penalty", "distortion"):
        values = [float(losses[name]) for losses in taken if name in losses]
        assert row[name] == pytest.approx(np.mean(values))
    assert row["images_per_second"] == pytest.approx(3 * 42 / row["seconds"])


class Recorder(Silent):
    """An observer that writes down what it is told, and wants the state after every second step."""

    def __init__(self):
        self.images, self.saved, self.rows, self.asked = [], [], [], 0

    def step_done(self, images):
        self.images.append(images)

    def wants_state(self):
        self.asked += 1
        return self.asked % 2 == 0

    def save(self, progress):
        self.saved.append((progress.epoch, progress.step, len(progress.history), set(progress.sums)))

    def epoch_done(self, row, epochs):
        self.rows.append((row, epochs))


def test_an_observer_is_told_of_steps_epochs_and_the_moments_to_save(pair):
    trainer, feed = pair(change={"training": {"batch_size": 40}})
    told = Recorder()
    history = fit(trainer, feed, Progress(), told)
    assert told.images == [40] * 6
    losses = {"wasserstein", "penalty", "distortion"}
    assert told.saved == [(1, 2, 0, losses), (2, 1, 1, losses - {"distortion"}), (2, 3, 1, losses)]
    assert told.rows == [(row, 2) for row in history]


def test_a_loss_that_is_not_finite_ends_the_training(pair):
    trainer, feed = pair()
    with torch.no_grad():
        next(trainer.system.parameters()).fill_(float("nan"))
    with pytest.raises(
        NotFiniteError, match=r"epoch 1: the loss is not finite \(.*distortion nan.*\), no model is kept"
    ):
        fit(trainer, feed)


def test_a_loss_that_is_not_finite_is_seen_in_the_middle_of_an_epoch(pair, monkeypatch):
    """At the paper's size an epoch takes hours; the losses are looked at every so many steps."""
    monkeypatch.setattr("ecot.engine.loop.LOOK", 3)
    trainer, feed = pair(change={"training": {"batch_size": 2}})
    step, progress = trainer.step, Progress()

    def broken(number, batch):
        losses = step(number, batch)
        return {name: loss / (number < 4) for name, loss in losses.items()}

    monkeypatch.setattr(trainer, "step", broken)
    with pytest.raises(NotFiniteError, match=r"epoch 1: the loss is not finite \(by step 6: \w+ (inf|nan)"):
        fit(trainer, feed, progress)
    assert (progress.epoch, progress.step, feed.steps) == (1, 6, 64)


def test_a_training_is_trainer_and_feed_of_one_cell(settings, datasets):
    made = settings()
    training = Training(made, datasets / "mnist_sample.npz", CPU, None)
    assert len(training.feed.images) == made.n_train == 128
    history = training.run(Progress(), Silent())
    trainer = make_trainer(made, CPU)
    expected = fit(trainer, Feed(load(datasets / "mnist_sample.npz", "train", 128).images, made, CPU))
    assert [row["distortion"] for row in history] == [row["distortion"] for row in expected]
    model = training.model()
    assert all(torch.equal(model[name], tensor) for name, tensor in trainer.system.state_dict().items())
    assert {f"system.{name}" for name in model} < set(training.tensors())

"""The Wasserstein-1 distance, estimated by a fresh critic."""

from typing import Any

from ecot.coding import randomness
from ecot.quantities import Measure, Quantity, register

# The fresh critic is the same for all runs, whatever the width of their networks and the settings of their training.
WIDTH = 0.25
BATCH = 64
LEARNING_RATE = 2e-3
BETAS = 0.5, 0.999
PENALTY = 10.0


def critic_w1(outputs: Any, clean: Any, context: Any) -> float:
    """Wasserstein-1 in units of ||y - y_hat||: the mean of h(Y) - h(Y_hat), divided by the mean of ||grad h||.

    The critic learns from every other image for `context.critic_steps` batches, under the gradient penalty; the means
    are those of the remaining images, so that it gains nothing by learning images by heart. It is 0 on average for
    equal laws, and otherwise the nearer to W1 the larger the budget. The penalty alone lets slopes grow to
    1 + W1 / (2 PENALTY), hence the division.
    """
    import torch

    from ecot.engine.adam import Adam
    from ecot.networks.critic import Critic
    from ecot.networks.sizes import scaled
    from ecot.systems.objectives import gradient_penalty, wasserstein_1

    device, seed = clean.device, context.seed
    torch.manual_seed(randomness.torch_seed(randomness.key(seed, "fresh critic", "weights")))
    critic = Critic((clean.shape[1], clean.shape[2], clean.shape[3]), scaled(WIDTH, 64, 128, 256))
    critic.to(device).to(memory_format=torch.channels_last)
    draws = torch.Generator().manual_seed(randomness.torch_seed(randomness.key(seed, "fresh critic", "batches")))
    adam = Adam(list(critic.parameters()), LEARNING_RATE, BETAS)
    for _ in range(context.critic_steps):
        generated, real = (
            part[torch.randint(len(part), (BATCH,), generator=draws).to(device)]
            for part in (outputs[0::2], clean[0::2])
        )
        position = torch.rand(BATCH, 1, 1, 1, generator=draws).to(device)
        penalty = gradient_penalty(critic, real, generated, position)
        adam.descend(PENALTY * penalty - wasserstein_1(critic, real, generated))
    real, generated = clean[1::2], outputs[1::2]
    pairs = min(len(real), len(generated))
    position = torch.rand(pairs, 1, 1, 1, generator=draws).to(device)
    with torch.no_grad():
        slope = critic.input_gradient(real[:pairs].lerp(generated[:pairs], position)).flatten(1).norm(dim=1).mean()
        return float(wasserstein_1(critic, real, generated) / slope)


MEASURE = register(
    Measure(Quantity("critic_w1", "W1, critic", "$W_1$, critic", 2, "of whole images", "lower"), critic_w1, "sets")
)

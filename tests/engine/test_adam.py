"""Adam is torch's Adam, at once ready and without its compiler."""

import subprocess
import sys

import torch

from ecot.engine.adam import Adam


def test_steps_are_those_of_torchs_optimiser():
    torch.manual_seed(0)
    start, data = torch.randn(5, 3), torch.randn(20, 5)
    ours, theirs = start.clone().requires_grad_(), start.clone().requires_grad_()
    adam, reference = Adam([ours], 1e-2, (0.5, 0.999)), torch.optim.Adam([theirs], lr=1e-2, betas=(0.5, 0.999))
    for step in range(10):
        if step == 5:
            adam.set_rate(1e-3)
            reference.param_groups[0]["lr"] = 1e-3
        adam.descend((data @ ours).square().mean())
        reference.zero_grad()
        (data @ theirs).square().mean().backward()
        reference.step()
    assert torch.equal(ours, theirs)
    state = reference.state_dict()["state"][0]
    assert torch.equal(adam.tensors()["mean.0"], state["exp_avg"])
    assert torch.equal(adam.tensors()["square.0"], state["exp_avg_sq"])
    assert adam.tensors()["count.0"] == 10


def test_a_step_imports_no_compiler():
    code = (
        "import sys, torch; from ecot.engine.adam import Adam; p = torch.ones(2, requires_grad=True);"
        "Adam([p], 0.1, (0.5, 0.9)).descend(p.sum()); print('torch._dynamo' in sys.modules)"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    )

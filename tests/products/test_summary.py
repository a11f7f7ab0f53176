"""The last screen of a run: one screen of a terminal, with the numbers of the run."""

import pytest
from click.testing import CliRunner

from ecot.cli import main
from ecot.config import validate
from ecot.errors import EcotError
from ecot.products import base
from ecot.products.summary import WIDTH, summary

pytestmark = pytest.mark.usefixtures("quick_theory")
PAPERS = {
    "tasks": {
        "super_resolution": {"dataset": "mnist", "modes": {"end_to_end": {"rates": list(range(4, 33, 2))}}},
        "denoising": {"dataset": "svhn"},
    }
}


def numbers(cell):
    """0.1 / rate, and 0.005 more without common randomness."""
    value = 0.1 / (cell.rate_bits or 1) + 0.005 * (cell.randomness == "independent") + 0.001 * cell.seed
    return {"mse_input": value, "mse_target": value}


def test_it_fits_on_a_screen_and_has_the_numbers(run):
    config = run(PAPERS, numbers=numbers)
    base.make(config, base.named(config, "claims"))
    text = summary(config)
    lines = text.splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) <= WIDTH
    assert lines[0].startswith("Run tiny: 64 of 64 models trained and measured, 2 seeds")
    (four,) = [line for line in lines if line.startswith("Super-resolution  4 ")]
    # Table 5 has the last two.
    assert four.split()[1:] == [
        "4",
        "0.0255",
        "±",
        "0.0007",
        "0.0305",
        "±",
        "0.0007",
        "0.0515",
        "0.0558",
    ]
    assert "theory:          1 holds, 1 fails" in text
    assert "results/tiny/claims.md" in text
    assert "report" not in text


def test_the_saving_in_bits_is_the_horizontal_distance(run):
    """With common randomness 1 - rate / 100, without the same 4 bits later: 4 bits at every distortion."""

    def shifted(cell):
        late = 4 * (cell.randomness == "independent")
        return {"mse_input": 1 - ((cell.rate_bits or 0) - late) / 100, "mse_target": 0.1}

    text = summary(run(PAPERS, numbers=shifted))
    assert (
        "at equal distortion common randomness saves 4.0 bits for each image (95 % interval 4.0 to 4.0)"
        in " ".join(text.split())
    )


def test_another_problem_has_no_number_of_the_paper_beside_it(run):
    text = summary(run())
    assert "paper, common" not in text
    assert "not comparable with the paper's numbers: data set mnist_sample (paper: mnist)" in " ".join(text.split())


def test_the_report_is_named_once_it_is_there(run):
    config = run()
    report = base.results_folder(config) / "report.html"
    report.parent.mkdir(parents=True)
    report.touch()
    assert f"report  {report}" in summary(config)


def test_before_any_run_it_says_so(tiny, repository, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EcotError, match=r"run tiny has no results yet in results/tiny; `snakemake` makes them"):
        summary(validate(tiny))
    shown = CliRunner().invoke(main, ["show", "--config", str(repository / "config.yaml")])
    assert shown.exit_code == 1
    assert shown.output.splitlines() == [
        "ecot: run paper has no results yet in results/paper; `snakemake` makes them, see `ecot status`"
    ]

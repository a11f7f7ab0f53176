"""The last screen of a run: one screen of a terminal, with the numbers of the run."""

import pytest
from click.testing import CliRunner

from ecot.artefacts import DamagedError
from ecot.artefacts.names import HISTORY, RECORD
from ecot.cli import main
from ecot.config import validate
from ecot.errors import EcotError
from ecot.grid.paths import model_folder
from ecot.grid.plan import grid
from ecot.products import base
from ecot.products.file_round_trip import FileRoundTrip
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


def test_verdicts_of_other_settings_are_not_shown(run):
    """A cell of the new settings may have failed, so that the claims have not been judged yet."""
    config = run(PAPERS, numbers=numbers)
    base.make(config, base.named(config, "claims"))
    fewer = config.model_copy(update={"seeds": [0]})
    assert "not judged under these settings yet: `ecot make claims`" in summary(fewer)
    assert "theory:          1 holds, 1 fails" in summary(config)


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


def test_the_time_of_training_is_that_of_the_cells_own_records(run, record_cell):
    config = run(PAPERS, numbers=numbers)
    cells = grid(config)
    for cell in cells:
        record_cell(config, cell, {"seconds": 90.0, "device": "cpu (1 threads, a processor)"})
    assert "1.6 h of training on cpu (a processor)." in summary(config).splitlines()[0]
    for name in (RECORD, HISTORY):
        one, other = (model_folder(config, cell) / name for cell in cells[:2])
        kept = one.read_bytes()
        one.write_bytes(other.read_bytes() + b" ")
        with pytest.raises(DamagedError, match="has changed since its training"):
            summary(config)
        one.write_bytes(kept)


def test_what_a_file_takes_is_said(run, monkeypatch):
    config = run(PAPERS, numbers=numbers)
    product = base.named(config, "file_round_trip_super_resolution")

    def write(self, config, folder):
        for path in self.files(config):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text('{"images": 1000, "bytes": 1215, "bits_per_image": 9.72, "distortion": 0.04}')

    monkeypatch.setattr(FileRoundTrip, "write", write)
    base.make(config, product)
    words = " ".join(summary(config).split())
    assert "Super-resolution: 1,000 images in 1,215 bytes, 9.72 bits per image, distortion 0.0400;" in words
    assert "results/tiny/codec/super_resolution.png" in words
    (product.files(config)[1]).write_text("{}")
    with pytest.raises(DamagedError, match="it has changed since it was made"):
        summary(config)

"""The commands for products: write them, also incomplete ones, and show them."""

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from ecot.cli.report import make, show
from ecot.grid.paths import metrics_path, results_folder
from ecot.grid.plan import grid
from ecot.products import base
from ecot.products.incomplete import incomplete

SR = "super_resolution"
LOST = f"{SR}/end_to_end/common/rate-8/seed-1"
TABLES = ["table_05", "table_06"]
pytestmark = pytest.mark.usefixtures("quick_theory")


@pytest.fixture
def command(tiny, tmp_path):
    """Runs a command on the run's configuration; its result."""

    def call(function, *arguments, change=None):
        (tmp_path / "config.yaml").write_text(yaml.safe_dump({**tiny, "seeds": [0, 1]} | (change or {})))
        return CliRunner().invoke(function, arguments)

    return call


def files_below(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_make_writes_what_is_named(run, command):
    config = run()
    result = command(make, *TABLES)
    assert result.exit_code == 0, result.output
    written = {path for name in TABLES for path in base.named(config, name).files(config)}
    kept = {results_folder(config) / f".made/{name}.json" for name in TABLES}
    assert {path for path in results_folder(config).rglob("*") if path.is_file()} == written | kept


@pytest.mark.parametrize("arguments", [[], ["table_05", "--all"], ["--all", "--incomplete"]])
def test_make_wants_names_or_one_of_its_options(run, command, arguments):
    run()
    result = command(make, *arguments)
    assert result.exit_code == 2
    assert "either names of products, or --all, or --incomplete" in result.output
    assert "table_05" in result.output


def test_what_cannot_be_written_takes_nothing_with_it(run, command):
    config = run()
    for cell in grid(config):
        if cell.task == SR:
            metrics_path(config, cell).unlink()
    result = command(make, *TABLES)
    assert str(result.exception) == "table_05 is not written: no cell of it is measured in results/tiny"
    assert (results_folder(config) / "tables/table_06.csv").is_file()


def test_incomplete_products_stand_apart_until_they_are_complete(run, command, monkeypatch):
    config = run(without={LOST})
    base.products(config)  # declares them; figures take long to draw and are not needed here
    few = {"ecot.products.paper_tables", "ecot.products.training_tables", "ecot.products.metrics"}
    monkeypatch.setattr(base, "_families", [family for family in base._families if family.__module__ in few])
    results = results_folder(config)
    assert command(make, "table_06").exit_code == 0
    before = files_below(results)
    assert command(make, "--incomplete").exit_code == 0
    apart = files_below(results / "incomplete")
    assert {name: content for name, content in files_below(results).items() if "incomplete/" not in name} == before
    assert {"tables/table_05.csv", "tables/table_05.md", "tables/table_05.tex", "metrics.csv"} <= set(apart)
    assert not {"tables/table_06.md", "tables/table_03.md"} & set(apart), "nothing of them is missing"
    assert b"INCOMPLETE, 1 cell missing" in apart["tables/table_05.md"]
    assert len(pd.read_csv(results / "incomplete/metrics.csv")) == len(grid(config)) - 1
    shown = command(show, *TABLES).output
    assert "incomplete/tables/table_05.md" in shown
    assert "incomplete/tables/table_06.md" not in shown

    run()
    assert command(make, "table_05").exit_code == 0
    assert not (results / "incomplete/tables/table_05.md").exists()
    assert "INCOMPLETE" not in (results / "tables/table_05.md").read_text()
    assert "incomplete" not in command(show, *TABLES).output


def test_products_that_miss_another_file_are_incomplete(run):
    config = run()
    names = {product.name for product in incomplete(config)}
    assert "claims" in names, "the bounds are missing"
    assert "table_05" not in names
    for path in base.named(config, "claims").reads(config):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert "claims" not in {product.name for product in incomplete(config)}


def test_show_prints_products_and_where_they_are(run, command):
    run()
    command(make, *TABLES, "metrics")
    result = command(show, *TABLES, "metrics")
    assert result.exit_code == 0
    assert result.output.index("### Table 5: ") < result.output.index("### Table 6: ")
    assert "results/tiny/metrics.csv\n" in result.output
    assert "results/tiny/tables/table_06.tex\n" in result.output
    assert "Table 6" not in command(show, "table_05").output


def test_there_is_nothing_to_show_before_a_run(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert str(command(show).exception) == (
        "run tiny has no results yet in results/tiny; `snakemake` makes them, see `ecot status`"
    )
    assert "none of these products yet" in str(command(show, "table_05").exception)
    assert "there is no product 'table_99'" in str(command(show, "table_99").exception)

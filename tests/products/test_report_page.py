"""report.html: what it holds, and in a headless Chromium what a reader does with it."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from ecot import sealed
from ecot.artefacts import samples
from ecot.cli.bounds import bounds as bounds_command
from ecot.config import load, merge, validate
from ecot.errors import EcotError
from ecot.grid.paths import clean_scores_path, image_bounds_path, model_folder, results_folder, samples_path
from ecot.grid.plan import grid, rated
from ecot.products import image_bounds, incomplete, metrics, reading
from ecot.products.base import make, named
from ecot.products.palette import COLOURS
from ecot.products.report import document, sheets
from ecot.quantities import measures
from ecot.theory import images as theory

SR = "super_resolution"
TABLES = ("table_05", "paired", "metrics")
LIMIT = 10e6  # bytes of a page
CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
HISTORY = "epoch,distortion,seconds\n1,0.2,3.0\n2,0.1,3.0\n"
RECORD = {
    "seconds": 6.0, "images_per_second": 100.0, "peak_memory_mb": 10.0, "device": "cpu (1 threads, a processor)",
    "torch": "2", "commit": "0123", "resumed": 0,
}  # fmt: skip


def numbers_of(cell):
    """With common randomness lower by 0.01 at every rate and seed."""
    rate = cell.rate_bits or 40
    found = {"mse_input": 0.1 / rate**0.5 + 0.01 * (cell.randomness != "common") + 0.001 * cell.seed}
    found |= {"mse_target": found["mse_input"] + 0.02, "gelbrich": 0.05 / rate, "classifier_accuracy": 0.8}
    if cell.mode in ("joint", "separate"):
        found |= dict.fromkeys(("mse_x_y1", "mse_y_y2", "mse_y1_y2", "loss_decomposed"), 0.01)
    return found


def complete(config, cell, record_cell):
    """Write what a measured cell has beside its row of metrics: images that tell cells apart, history, record."""
    shade = (cell.rate_bits or 0) / 200 + 0.1 * (cell.randomness == "common")
    arrays = {name: np.full((2, 1, 28, 28), value, np.float32) for name, value in {"x": 0.1, "y": 0.9}.items()}
    samples.write(
        samples_path(config, cell),
        {**arrays, "output": np.full((2, 1, 28, 28), shade, np.float32)},
        metrics.key(config, cell),
    )
    record_cell(config, cell, dict.fromkeys(("python", "ecot", "numpy"), "1") | RECORD, HISTORY)


@pytest.fixture(scope="module")
def reported(repository, measure_cell, record_cell, tmp_path_factory):
    """A measured run of the paper's problem, few cells, two seeds, and its report: configuration and path."""
    randomness = {"randomness": ["common", "independent", "limited-2"], "limited_rates": [10]}
    one = {"width": 0.1, "modes": {"end_to_end": {"rates": [4, 10, 30], **randomness}}}
    for mode in ("joint", "separate", "baseline"):
        one["modes"][mode] = {"rates": [10]}
    values = load(repository / "config.yaml").model_dump()
    config = validate(merge(values, {"run": "small", "seeds": [0, 1], "select": {"tasks": [SR]}, "tasks": {SR: one}}))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("run"))
        for cell in grid(config):
            measure_cell(config, cell, numbers_of(cell))
            complete(config, cell, record_cell)
        y = np.random.default_rng(0).random((100, 20)) * 0.6
        x = y + 0.1 * np.random.default_rng(1).standard_normal(y.shape)
        bounds = theory.bounds(x, y, [0.0, 1.0, 4.0, 8.0])
        image_bounds.write(bounds, image_bounds_path(config, SR), image_bounds.made_for(config, SR))
        scores = [{"images": name, "n_test": 64, **dict.fromkeys(measures(), 0.004)} for name in ("test", "training")]
        clean_scores_path(config, SR).parent.mkdir(parents=True)
        sealed.write(clean_scores_path(config, SR), reading.clean_scores_made_for(config, SR), scores)
        for name in (*TABLES, "claims", "report"):
            make(config, named(config, name))
        yield config, results_folder(config).resolve() / "report.html"


@pytest.fixture(scope="module")
def text(reported):
    return reported[1].read_text()


def held(text):
    """The data that the page holds."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text)[1])


def test_the_band_of_the_bounds_lies_behind_the_curves(text):
    """Plotly paints in the order of the traces."""
    traces = held(text)["charts"][SR]["data"]
    assert [trace["meta"]["key"] for trace in traces].index("band") == 0


def test_limited_randomness_has_a_name_and_a_colour_of_its_own(text):
    found = [t for t in held(text)["charts"][SR]["data"] if t["meta"]["key"] == "end_to_end-limited-2"]
    assert {trace["name"] for trace in found} == {"end to end, 2 shared bits for each dimension of the dither"}
    assert {trace["meta"]["colour"] for trace in found} == {"third"} <= set(COLOURS)
    painted = [trace["meta"]["colour"] for chart in held(text)["charts"].values() for trace in chart["data"]]
    assert set(painted) <= set(COLOURS)


def test_the_page_needs_nothing_else_and_is_small(text, reported):
    page = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert not re.search(r"""(src|href)=["'](?!data:|#)""", page)
    assert "default-src 'none'" in page
    assert reported[1].stat().st_size < LIMIT


def test_the_first_thing_that_is_said_is_what_common_randomness_buys(text):
    start = text.index("What common randomness buys</h2>")
    answer = re.sub(r"<[^>]+>|\s+", " ", text[start : text.index("</table>", start)])
    assert "Common randomness lowers the distortion by 0.0100 per pixel on average" in answer
    assert "lower with it at 3 of 3 rates" in answer
    assert "95% interval of the mean gain is +0.0100 to +0.0100" in answer
    assert re.search(r"statement, lower at every rate: holds\b", answer)
    assert "+0.0043" in answer, "the paper's own gain at 4 bits, Table 5"


def test_a_gain_that_the_seeds_leave_open_is_not_claimed(run):
    config = run(
        numbers=lambda cell: (
            numbers_of(cell) | {"mse_input": 0.05 + 0.01 * ((cell.randomness == "common") == cell.seed)}
        )
    )
    make(config, named(config, "report"))
    assert (
        "This run does not tell whether common randomness lowers"
        in (results_folder(config) / "report.html").read_text()
    )


def test_missing_cells_are_named_and_incomplete_tables_stand_in(run, monkeypatch):
    lost = f"{SR}/end_to_end/common/rate-8/seed-1"
    config = run(without={lost})
    folder = incomplete.folder(config)
    named(config, "table_05").write(config, folder)
    named(config, "report").write(config, folder)
    text = (folder / "report.html").read_text()
    assert "INCOMPLETE, 1 cell missing: Super-resolution, end to end, common randomness, 8 bits, seed 1." in text
    assert "Table 5: " in text
    assert not (results_folder(config) / "report.html").exists()


def test_nothing_measured_is_an_error(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = validate(tiny)
    with pytest.raises(EcotError, match="report: no cell is measured in results/tiny"):
        make(config, named(config, "report"))


def test_what_it_reads_is_made_by_rules(reported):
    config, _ = reported
    product = named(config, "report")
    paths = {str(path) for path in product.reads(config)}
    assert {str(model_folder(config, cell) / "run.json") for cell in grid(config)} <= paths
    assert {f"results/small/tables/{name}.csv" for name in ("table_05", "paired", "constraint")} <= paths
    assert "results/small/report.html" not in paths
    assert {cell.seed for cell in product.samples(config)} == {0}


def test_a_changed_page_makes_the_report_again(config, tmp_path, monkeypatch):
    before = named(config, "report")
    (tmp_path / "report.js").write_text("another")
    monkeypatch.setattr("ecot.products.report.PAGE", tmp_path)
    assert named(config, "report") != before


def test_tables_have_the_papers_numbers_and_the_differences():
    table = pd.DataFrame({"task": [SR, SR], "rate_bits": [4, 8], "value": [0.06, 0.03], "paper": [0.05, None]})
    sheet = sheets.sheet("title", "caption", "file", table)
    assert sheet.header == ["rate (bits per image)", "value", "paper", "difference", "relative"]
    assert sheet.about == "task: Super-resolution"
    assert [cell.text for cell in sheet.rows[0]] == ["4", "0.0600", "0.0500", "+0.0100", "+20.0%"]
    assert [cell.text for cell in sheet.rows[1]][2:] == ["", "", ""]
    assert sheet.rows[0][4].number == pytest.approx(0.2)


def test_no_text_of_the_data_ends_its_element():
    assert document.plain_json({"a": "</script><script>"}).count("<") == 0
    assert json.loads(document.plain_json({"a": "</script>"})) == {"a": "</script>"}


def test_every_kind_of_cell_has_its_curve_and_its_images(text, reported):
    config, _ = reported
    chart = held(text)["charts"][SR]
    keys = {trace["meta"]["key"] for trace in chart["data"] if trace["meta"]["for"] == "mse_input"}
    assert {
        "end_to_end-common", "end_to_end-independent", "joint-independent-fresh", "joint-independent-shared",
        "separate-independent", "baseline-common", "baseline-independent", "paper-common", "paper-independent",
        "floor", "band",
    } <= keys  # fmt: skip
    curve = next(trace for trace in chart["data"] if trace["meta"]["key"] == "end_to_end-common")
    cells = [cell for cell in rated(config) if (cell.mode, cell.randomness) == ("end_to_end", "common")]
    by_rate = pd.DataFrame([{"rate": cell.rate_bits, "value": numbers_of(cell)["mse_input"]} for cell in cells])
    assert curve["y"] == pytest.approx(by_rate.groupby("rate")["value"].mean().to_numpy(), abs=1e-6)
    assert curve["error_y"]["array"] == pytest.approx([0.001 / 2**0.5] * 3, abs=1e-6)
    shown = held(text)["pictures"][SR]
    assert shown["rates"] == [4, 10, 30]
    assert [len(setting["byRate"]) for setting in shown["settings"]] == [3, 3, 1, 1, 1, 1, 1, 1, 1]


# In a browser


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver")
    if not (CHROMIUM.is_file() and DRIVER.is_file()):
        pytest.skip(f"{CHROMIUM} and {DRIVER} are not installed: make test-browser")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, reported):
    """The report, opened anew: a light page of 1,200 pixels."""
    media(browser, "light")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get(reported[1].as_uri())
    assert browser.find_element("css selector", "html").get_attribute("data-ready") is not None
    return browser


def media(driver, scheme):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def press(driver, selector, *keys):
    """Press keys on an element, which the keyboard reaches."""
    element = driver.find_element("css selector", selector)
    element.send_keys(*keys)
    return element


def curve(driver, name, key):
    """A curve as it is drawn: distortion by rate."""
    script = """
        const trace = document.getElementById(arguments[0]).data.find((one) => one.meta.key === arguments[1]);
        return [[...trace.x], [...trace.y]];"""
    x, y = driver.execute_script(script, f"chart-{name}", key)
    return dict(zip(x, y, strict=True))


@pytest.mark.browser
def test_there_is_no_error_and_no_request(page, reported):
    from selenium.webdriver.common.keys import Keys

    press(page, f"#rate-{SR}", Keys.ARROW_RIGHT)
    messages = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    sent = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert reported[1].as_uri() in sent, "what is sent is seen"
    assert [url for url in sent if url != reported[1].as_uri() and not url.startswith(("data:", "blob:"))] == []
    assert page.get_log("browser") == []


@pytest.mark.browser
def test_the_slider_over_rates_changes_images_numbers_and_the_line(page):
    from selenium.webdriver.common.keys import Keys

    def state():
        image = page.find_element("css selector", f"#pictures-{SR} [data-setting='0'] img")
        numbers = page.find_element("css selector", f"#pictures-{SR} [data-setting='0'] dl").text
        line = page.execute_script(f"return document.getElementById('chart-{SR}').layout.shapes[0].x0")
        return image.get_attribute("src"), image.get_attribute("alt"), numbers, line

    first = state()
    slider = press(page, f"#rate-{SR}", Keys.ARROW_RIGHT)
    second = state()
    assert (first[3], second[3]) == (4, 10)
    assert "at 4 bits" in first[1]
    assert "at 10 bits" in second[1]
    assert first[0] != second[0]
    assert "0.0505 ± 0.0007" in first[2]
    assert "0.0321 ± 0.0007" in second[2]
    assert slider.get_attribute("aria-valuetext") == "10 bits per image"
    joint = page.find_element("css selector", f"#pictures-{SR} [data-setting='2']")
    assert joint.find_element("css selector", "img").is_displayed()
    press(page, f"#rate-{SR}", Keys.END)
    assert not joint.find_element("css selector", "img").is_displayed()
    assert "not measured at this rate" in joint.text


@pytest.mark.browser
@pytest.mark.parametrize(
    ("name", "keys", "arguments", "curves"),
    [
        ("binary", {0: 1, 1: -2}, "--q-x 0.35 --q-y 0.5", ["d_ncr", "d_ncr_upper", "d_ncr_lower", "d_cr"]),
        ("uniform", {0: 1}, "--a 2 --b 5.5", ["d_ncr_upper", "d_ncr_lower", "d_cr_lower"]),
        ("gaussian", {1: -3}, "--sigma-x 1 --mu-y 1 --sigma-y 1.25", ["d_ncr", "d_ncr_lower", "d_cr"]),
    ],
)
def test_what_is_read_off_a_curve_of_the_theory_is_what_ecot_bounds_prints(page, name, keys, arguments, curves):
    from selenium.webdriver.common.keys import Keys

    before = curve(page, name, curves[0])
    for slider, steps in keys.items():
        arrow = Keys.ARROW_RIGHT if steps > 0 else Keys.ARROW_LEFT
        press(page, f"#{name}-{slider}", *[arrow] * abs(steps))
    press(page, f"#{name}-rate", Keys.ARROW_RIGHT)
    assert curve(page, name, curves[0]) != before
    figure = page.find_element("css selector", f"[data-explorer={name}]")
    command = figure.find_element("css selector", "[data-command]").text.split()
    rate = command[-1]
    assert command == ["ecot", "bounds", name, *arguments.split(), "--rate", rate]
    printed = json.loads(
        CliRunner().invoke(bounds_command, [name, *arguments.split(), "--rate", rate, "--json"]).output
    )
    for key in curves:
        assert curve(page, name, key)[float(rate)] == pytest.approx(printed[key], abs=5.1e-7)
        text = figure.find_element("css selector", f"[data-curve={key}]").text
        assert text == f"{curve(page, name, key)[float(rate)]:.6f}"


@pytest.mark.browser
def test_legend_and_selects_switch_what_is_drawn(page):
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import Select

    def drawn():
        script = f"return document.getElementById('chart-{SR}').data.map((t) => [t.meta.key, t.meta.for, t.visible])"
        return {(key, shown_for) for key, shown_for, visible in page.execute_script(script) if visible}

    assert ("end_to_end-common", "mse_input") in drawn()
    assert ("end_to_end-common", "mse_target") not in drawn()
    press(page, f"[data-legend={SR}] input[value=end_to_end-common]", Keys.SPACE)
    assert not any(key == "end_to_end-common" for key, _ in drawn())
    assert ("end_to_end-independent", "mse_input") in drawn()
    Select(page.find_element("css selector", f"select[data-quantity={SR}]")).select_by_value("mse_target")
    assert ("end_to_end-independent", "mse_target") in drawn()
    assert ("floor", "mse_input") not in drawn()
    training = Select(page.find_element("id", "training-column"))
    training.select_by_value("seconds")
    assert page.execute_script("return [...document.getElementById('chart-training').data[0].y]") == [3, 3]
    assert page.execute_script("return document.getElementById('chart-training').data.length") == 14


@pytest.mark.browser
def test_tables_are_sorted_by_their_headings(page):
    page.execute_script("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    table = page.find_element("xpath", "//details[summary[starts-with(., 'Table 5:')]]//table")
    heads = table.find_elements("css selector", "th")
    place = [head.text.rstrip(" ↕") for head in heads].index("value")

    def values():
        return [
            float(row.find_elements("css selector", "td")[place].text)
            for row in table.find_elements("css selector", "tbody tr")
        ]

    for order, direction in (("ascending", 1), ("descending", -1)):
        heads[place].find_element("css selector", "button").send_keys("\n")
        assert heads[place].get_attribute("aria-sort") == order
        assert values() == sorted(values(), reverse=direction < 0)


@pytest.mark.browser
def test_a_narrow_screen_scrolls_one_way(page):
    from selenium.webdriver.support import ui

    size = {"width": 360, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    width = "return document.documentElement.scrollWidth"
    ui.WebDriverWait(page, 5).until(lambda page: page.execute_script(width) <= 360)


@pytest.mark.browser
def test_colours_follow_the_system_and_paper_is_light(page):
    def ground():
        chart = f"document.getElementById('chart-{SR}').layout.paper_bgcolor"
        return page.execute_script(f"return [{chart}, getComputedStyle(document.body).backgroundColor]")

    assert ground() == ["#ffffff", "rgb(255, 255, 255)"]
    media(page, "dark")
    page.execute_async_script("requestAnimationFrame(() => setTimeout(arguments[0], 100))")
    assert ground() == ["#16181b", "rgb(22, 24, 27)"]
    page.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert ground() == ["#ffffff", "rgb(255, 255, 255)"]
    page.execute_script("dispatchEvent(new Event('afterprint'))")
    assert ground() == ["#16181b", "rgb(22, 24, 27)"]


@pytest.mark.browser
def test_everything_that_is_operated_has_a_name(page):
    """Charts, sliders, selects, boxes and images, as the browser tells them to a screen reader."""
    tree = page.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = {"slider", "combobox", "checkbox", "button", "image", "img"}
    found = [node for node in tree if not node.get("ignored") and node.get("role", {}).get("value") in roles]
    assert {node["role"]["value"] for node in found} >= {"slider", "checkbox", "combobox"}
    assert [node["nodeId"] for node in found if not node.get("name", {}).get("value", "").strip()] == []

"""The example of docs/codec.md runs as it stands there, and the format's constants are those of docs/container.md."""

import re

from ecot.coding import container


def test_the_example_runs(repository, monkeypatch, capsys):
    text = (repository / "docs" / "codec.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", text, re.S)
    monkeypatch.chdir(repository)
    exec(compile(example, "docs/codec.md", "exec"), {})
    indices, distortion, bits = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\[[0-3]( [0-3]){4}\]", indices)
    assert 0.02 < float(distortion.split()[0]) < 0.06
    assert 0 < float(bits.split()[0]) < 10.5


def test_the_commands_of_the_page_run(repository, monkeypatch, tmp_path, digits):
    """The two commands, with a folder of digits in another place."""
    from click.testing import CliRunner
    from PIL import Image

    from ecot.cli import main

    for i, digit in enumerate(digits[:3, 0]):
        (tmp_path / "digits").mkdir(exist_ok=True)
        Image.fromarray(digit).save(tmp_path / "digits" / f"{i}.png")
    (tmp_path / "resources").symlink_to(repository / "resources")
    monkeypatch.chdir(tmp_path)
    text = (repository / "docs" / "codec.md").read_text()
    for line in re.findall(r"^    ecot (.*)$", text, re.M):
        done = CliRunner().invoke(main, line.split())
        assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "decoded").iterdir())) == 3


def test_the_page_of_the_format_states_its_constants(repository):
    text = (repository / "docs" / "container.md").read_text()
    rows = re.findall(r"^\| (\d+) \| (\d+) \|", text, re.M)
    assert [int(offset) for offset, _ in rows] == [
        sum(int(size) for _, size in rows[:i]) for i in range(len(rows))
    ]  # each field begins where the one before it ends
    assert sum(int(size) for _, size in rows) == container.FIXED.size
    assert bytes.fromhex(re.search(r"`((?:[0-9A-F]{2} ?){8})`", text)[1]) == container.MAGIC
    assert f"version {container.VERSION}" in text
    for exponent in re.findall(r"at most 2\^(\d+) images and 2\^(\d+) indices", text):
        assert (2 ** int(exponent[0]), 2 ** int(exponent[1])) == (container.MOST_IMAGES, container.MOST_INDICES)

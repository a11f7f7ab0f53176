"""How tables are written: numbers (.csv), Markdown (.md) and LaTeX (.tex)."""

import re
from pathlib import Path

import pandas as pd
from tabulate import tabulate

from ecot.files import atomic, write_text
from ecot.quantities import QUANTITIES

Grid = list[list[str]]  # rows of text; the first row is the header, a text between two pairs of asterisks is bold

TEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "lambda": r"$\lambda$", "±": r"$\pm$", "‖": r"$\|$", "−": "$-$", "²": "$^2$", "Ỹ": r"$\tilde{Y}$",
    "Ŷ": r"$\hat{Y}$", "Y1": "$Y_1$", "Y2": "$Y_2$",
}  # fmt: skip


def table_files(folder: Path, name: str) -> list[Path]:
    """The files of a table of that name in a run's folder, as `write_files` writes them."""
    return [folder / "tables" / f"{name}{suffix}" for suffix in (".csv", ".md", ".tex")]


def write_files(
    path: Path, caption: str, notes: list[str], blocks: list[tuple[str, Grid]], rows: pd.DataFrame
) -> None:
    """Write `rows` to path.csv and the blocks, each a heading and its grid, to path.md and path.tex."""
    write_markdown(path, caption, notes, blocks, rows)
    write_text(path.with_suffix(".tex"), latex(caption, notes, blocks))


def write_markdown(
    path: Path, caption: str, notes: list[str], blocks: list[tuple[str, Grid]], rows: pd.DataFrame
) -> None:
    """Write `rows` to path.csv and the blocks to path.md: what is too wide for a page has no .tex."""
    with atomic(path.with_suffix(".csv")) as temporary:
        rows.to_csv(temporary, index=False)
    write_text(path.with_suffix(".md"), markdown(caption, notes, blocks))


def write_list(path: Path, title: str, notes: list[str], sections: list[tuple[str, str]], rows: pd.DataFrame) -> None:
    """Write `rows` to path.csv and the sections, each a heading and its text, to path.md: for sentences."""
    with atomic(path.with_suffix(".csv")) as temporary:
        rows.to_csv(temporary, index=False)
    parts = [f"# {title}", *notes, *(f"## {heading}\n\n{text}" for heading, text in sections)]
    write_text(path.with_suffix(".md"), "\n\n".join(parts) + "\n")


def grid_markdown(grid: Grid) -> str:
    """Rows of text as a table in Markdown."""
    header, *lines = [[text.replace("|", r"\|") for text in row] for row in grid]
    return tabulate(lines, headers=header, tablefmt="pipe", disable_numparse=True)


def markdown(caption: str, notes: list[str], blocks: list[tuple[str, Grid]]) -> str:
    """Blocks of a table as Markdown. A block without a heading continues the one before it."""
    parts = [f"### {caption}", "\n".join(notes)]
    for heading, grid in blocks:
        parts += [f"**{heading}**"] if heading else []
        parts.append(grid_markdown(grid))
    return "\n\n".join(parts) + "\n"


def latex(caption: str, notes: list[str], blocks: list[tuple[str, Grid]]) -> str:
    """Blocks of a table as LaTeX; needs the package booktabs."""
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{_tex(caption)}. {_tex(' '.join(notes))}}}"]
    for heading, (header, *rows) in blocks:
        lines += [rf"\par\medskip {_tex(heading)} \par"] if heading else []
        style = pd.DataFrame(rows, columns=header).style.hide(axis="index").format(_tex)
        lines.append(style.format_index(_tex, axis="columns").to_latex(hrules=True).rstrip())
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _tex(text: str) -> str:
    """Text in LaTeX: quantities in their own notation, signs escaped or in maths, `**text**` bold."""
    codes = {quantity.text: quantity.latex for quantity in QUANTITIES.values()} | TEX
    signs = "|".join(re.escape(sign) for sign in sorted(codes, key=len, reverse=True))
    return re.sub(r"\*\*(.+)\*\*", r"\\textbf{\1}", re.sub(signs, lambda match: codes[match[0]], text))

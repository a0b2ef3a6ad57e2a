"""Markdown tables, read back."""


def cells(text: str) -> list[list[str]]:
    """Cells of the tables of a page, row after row: headings, then values."""
    lines = [line.strip() for line in text.splitlines() if line.startswith("|")]
    rows = [line[1:-1] for line in lines if line.strip("|-: ") or "-" not in line]
    return [[cell.strip() for cell in row.split("|")] for row in rows]

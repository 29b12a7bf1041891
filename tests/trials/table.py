"""What the trials have found as a table, for a terminal or in Markdown."""

from stage import Row


def line(row: Row) -> str:
    faults = "".join(f"\n    {fault}" for fault in row.faults)
    return f"{'held' if row.held else 'FAULT'}  {row.trial}: {row.case}: {row.figures}{faults}"


def text(rows: list[Row], notes: list[str]) -> str:
    failed = sum(not row.held for row in rows)
    summary = f"{len(rows) - failed} of {len(rows)} held"
    return "\n".join([*map(line, rows), "", *notes, summary]) + "\n"


def markdown(rows: list[Row], notes: list[str]) -> str:
    lines = ["| trial | case | figures | held |", "|---|---|---|---|"]
    lines += [f"| {row.trial} | {row.case} | {row.figures} | {'yes' if row.held else 'no: ' + '; '.join(row.faults)} |"
              for row in rows]
    return "\n".join([*lines, "", *(f"- {note}" for note in notes)]) + "\n"

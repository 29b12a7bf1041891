"""A report of the comparison as a table, for a terminal or in Markdown."""

from clients import OURS

NAME_WIDTH = 24


def number(value: float | None) -> str:
    """Three digits that count, for people."""
    if value is None:
        return "-"
    if value >= 100:
        return f"{float(f'{value:.3g}'):,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def sections(report: dict) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for figure in report["figures"]:
        better = "more" if figure["more_is_better"] else "less"
        found.setdefault(f"{figure['section']} ({figure['unit']}; {better} is better)", []).append(figure)
    return found


def cells(figure: dict, clients: list[str]) -> list[str]:
    """Our number, and each peer's with ours as a multiple of it; what was tried in vain has lost its number."""
    row = [" ".join(word for word in (figure["row"], figure["name"]) if word)]
    for client in clients:
        entry = figure["clients"].get(client)
        row.append(number(entry["median"]) if entry else "failed" if client in figure["failed"] else "-")
        if client != OURS:
            ratio = figure["ratios"].get(client)
            row.append("-" if ratio is None else f"{ratio:.2f} x")
    return row


def heading(clients: list[str]) -> list[str]:
    row = ["", "pub, sub"]
    for client in clients[1:]:
        row += [client, "ours is"]
    return row


def notes(report: dict) -> list[str]:
    lines = [f"{entry['label']}: {entry['version']}" for entry in report["clients"].values()]
    lines.append(f"{report['date']}, commit {report['commit']}, {report['machine']['system']}, {report['machine']['cpu']}, "
                 f"{report['machine']['cores']} cores; medians of {report['rounds']} rounds")
    lines += [f"image {name}: {size / 1e6:.1f} MB" for name, size in report["images"].items()]
    lines += [f"left out: {client}: {why}" for client, why in report["absent"].items()]
    lines += [f"failed: {failure['row']}, {failure['client']}: {failure['why']}" for failure in report["failed"]]
    return lines


def text(report: dict) -> str:
    clients = list(report["clients"])
    def line(row: list[str]) -> str:
        return f"  {row[0]:<{NAME_WIDTH}}" + "".join(f"{cell:>11}" for cell in row[1:])
    lines = [line(heading(clients))]
    for title, figures in sections(report).items():
        lines += [title, *(line(cells(figure, clients)) for figure in figures)]
    return "\n".join([*lines, "", *notes(report)]) + "\n"


def markdown(report: dict) -> str:
    clients = list(report["clients"])
    lines = []
    for title, figures in sections(report).items():
        head = heading(clients)
        lines += [f"| {title} | {' | '.join(head[1:])} |", "|---|" + "---:|" * len(head[1:])]
        lines += ["| " + " | ".join(cells(figure, clients)) + " |" for figure in figures] + [""]
    return "\n".join([*lines, *(f"- {note}" for note in notes(report))]) + "\n"

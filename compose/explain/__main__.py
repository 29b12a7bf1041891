"""Explains a capture of MQTT: findings on standard output, report.html and report.md beside the capture.

Started by compose/analyze, which sees to it that tshark, gnuplot and Jinja are there.
"""

import argparse
import pathlib
import sys

import capture
import charts
import conversation
import findings
import report
import tool_log
from sentences import LANGUAGES, Words, unmarked

FAILED, USAGE = 1, 2


def main() -> int:
    options = _options()
    words = Words(options.lang)
    try:
        return _explain(options, words)
    except (capture.Unreadable, charts.NoGnuplot) as problem:
        print(f"compose/analyze: {problem}", file=sys.stderr)
    except OSError as problem:
        print(f"compose/analyze: {problem.filename}: {problem.strerror}", file=sys.stderr)
    return FAILED


def _explain(options: argparse.Namespace, words: Words) -> int:
    ports = options.port or list(capture.MQTT_PORTS)
    read = capture.read(options.file, ports, options.keylog)
    if not any(frame.stream >= 0 for frame in read.frames):
        message = words.plain("no_mqtt", ports=", ".join(map(str, ports)), file=str(options.file))
        others = capture.listening_ports(options.file)
        if others:
            message += "; " + words.plain("other_ports", ports=sorted(others, key=others.get, reverse=True))
        print(f"compose/analyze: {message}", file=sys.stderr)
        return FAILED
    understood = conversation.understand(read, _hosts(options.hosts))
    found = findings.find(understood)
    lines = []
    for log in options.log:
        of_log = tool_log.join(log, understood)
        lines += of_log
        joined = [abs(line.apart) for line in of_log if line.frame]
        found.append(findings.Finding("log", "log_joined", {
            "file": log.name, "joined": len(joined), "lines": len(of_log),
            "time": sum(joined) / len(joined) if joined else 0}))
    for finding in found:
        print("! " if finding.wrong else "  ", unmarked(words.say(finding.key, **finding.values)), sep="")
    report.write(options.output or options.file.parent, options.file, understood, found, lines, words)
    return 0


def _hosts(file: pathlib.Path | None) -> dict[str, str]:
    """Names of addresses, from lines as in /etc/hosts."""
    names = {}
    for line in file.read_text().splitlines() if file else []:
        words = line.partition("#")[0].split()
        if len(words) >= 2:
            names[words[0]] = words[1]
    return names


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        print(f"compose/analyze: {message} (see --help)", file=sys.stderr)
        sys.exit(USAGE)


def _options() -> argparse.Namespace:
    parser = _Parser(prog="compose/analyze", add_help=False, allow_abbrev=False)
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--output", type=pathlib.Path)
    parser.add_argument("--lang", choices=LANGUAGES, default="en")
    parser.add_argument("--port", type=_port, action="append")
    parser.add_argument("--keylog", type=pathlib.Path)
    parser.add_argument("--log", type=pathlib.Path, action="append", default=[])
    parser.add_argument("--hosts", type=pathlib.Path)
    return parser.parse_args()


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f'expected a port from 1 to 65535, got "{text}"')
    return int(text)


if __name__ == "__main__":
    sys.exit(main())

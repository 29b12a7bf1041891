"""Pictures of the messages, drawn by gnuplot as SVG that takes its colours from the page it stands in."""

import collections
import html
import re
import subprocess

from conversation import MILLISECOND, Conversation
from sentences import Words, printable

TOPICS_DRAWN = 12
BINS = 24

# gnuplot is given colours that stand for those of the page, which are other ones in the dark.
_COLOURS = {"#010101": "var(--ink)", "#020202": "var(--faint)", "#030303": "var(--mqtt)", "#040404": "var(--tcp)"}


class NoGnuplot(Exception):
    pass


def draw(conversation: Conversation, words: Words) -> list[tuple[str, str, str]]:
    """The name, the title and the SVG of each picture; none where there are no messages."""
    topics = [topic for topic in conversation.topics if topic.exchanges]
    if not topics:
        return []
    pictures = [("timeline", words.plain("chart_timeline"), _timeline(conversation, words))]
    sizes = [size for topic in topics for size in topic.sizes]
    pictures.append(("sizes", words.plain("chart_sizes"), _histogram(sizes, words.plain("chart_sizes_x"), words, "sizes")))
    intervals = [interval / MILLISECOND for topic in topics for interval in topic.intervals]
    if intervals:
        pictures.append(("intervals", words.plain("chart_intervals"),
                         _histogram(intervals, words.plain("chart_intervals_x"), words, "intervals")))
    return pictures


def _timeline(conversation: Conversation, words: Words) -> str:
    topics = sorted(conversation.topics, key=lambda topic: -len(topic.exchanges))
    drawn, others = topics[:TOPICS_DRAWN], topics[TOPICS_DRAWN:]
    labels = [printable(topic.topic) for topic in drawn] + ([words.plain("other_topics")] if others else [])
    points = [((exchange.publish.frame.time - conversation.begin) / 1e9, len(labels) - 1 - min(at, len(labels) - 1))
              for at, topic in enumerate(drawn + others) for exchange in topic.exchanges]
    longest = min(max(map(len, labels)), 30)
    # gnuplot never sees the names of topics, which come from the wire and might mean something to it.
    tics = ", ".join(f"'TOPIC{at:02}' {len(labels) - 1 - at}" for at in range(len(labels)))
    last = max(time for time, _ in points)
    svg = _gnuplot("timeline", 520, 120 + 26 * len(labels), f"""
set lmargin {longest + 2}
set ytics ({tics})
set yrange [-0.6:{len(labels) - 0.4}]
set xrange [0:{max(last * 1.02, 0.001)}]
set xlabel '{words.plain("chart_timeline_x")}'
plot $data using 1:2 with points pointtype 7 pointsize 0.45 linecolor rgb '#030303' notitle
""", points)
    for at, label in enumerate(labels):
        shown = label if len(label) <= 30 else label[:29] + "…"
        svg = svg.replace(f"TOPIC{at:02}", html.escape(shown))
    return svg


def _histogram(values: list[float], axis: str, words: Words, name: str) -> str:
    low, high = min(values), max(values)
    width = (high - low) / BINS or 1
    # All the same value is one bar around it, else a bar stands over the values that it counts.
    middle = 0.5 if high > low else 0
    counts = collections.Counter(min(int((value - low) / width), BINS - 1) for value in values)
    points = [(low + (place + middle) * width, count) for place, count in sorted(counts.items())]
    return _gnuplot(name, 520, 270, f"""
set boxwidth {width * 0.9}
set style fill solid 0.7
set yrange [0:*]
set ytics {"1" if max(counts.values()) <= 10 else "autofreq"}
set xrange [{low - width * 2}:{max(high, low + width) + width * 2}]
set xlabel '{axis}'
set ylabel '{words.plain("chart_y")}'
plot $data using 1:2 with boxes linecolor rgb '#040404' notitle
""", points)


def _gnuplot(name: str, width: int, height: int, commands: str, points: list[tuple[float, float]]) -> str:
    data = "\n".join(f"{x:.9g} {y:.9g}" for x, y in points)
    script = f"""
set terminal svg size {width},{height} dynamic font 'sans-serif,15'
set border 3 linecolor rgb '#010101'
set tics nomirror textcolor rgb '#010101'
set xlabel textcolor rgb '#010101'
set ylabel textcolor rgb '#010101'
set grid linecolor rgb '#020202'
$data << END
{data}
END
{commands}"""
    try:
        result = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise NoGnuplot("gnuplot is not installed (Debian's package is gnuplot-nox)") from None
    if result.returncode or "<svg" not in result.stdout:
        raise NoGnuplot(f"gnuplot failed: {result.stderr.strip()}")
    svg = result.stdout[result.stdout.index("<svg"):]
    svg = re.sub(r"<title>.*?</title>|<desc>.*?</desc>", "", svg, flags=re.DOTALL)
    # Several pictures stand in one page, so each has names of its own.
    svg = re.sub(r"""(id=|href=)(['"])(#?)""", rf"\1\2\3{name}-", svg)
    svg = re.sub(r"url\(#", f"url(#{name}-", svg)
    for stand_in, colour in _COLOURS.items():
        value = int(stand_in[1:3], 16)
        svg = re.sub(rf"rgb\(\s*{value},\s*{value},\s*{value}\)", colour, svg).replace(stand_in, colour)
    return svg.replace("black", "var(--ink)")

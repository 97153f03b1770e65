"""Draws what each signal is worth, from the tables that the search uses: docs/score.svg."""

from pathlib import Path

from gamebuddy.resolvers.matching import Signal, Weights

WIDTH, BAR, GAP, LEFT, SCALE = 640, 22, 8, 130, 2.2
COLOURS = ("#4263eb", "#1c7ed6", "#0c8599", "#2f9e44", "#f08c00", "#e8590c")


def drawing() -> str:
    """Give the picture: a bar for each signal, the heaviest first."""
    weights = Weights.of()
    signals = sorted((signal for signal in Signal if weights[signal]), key=lambda signal: -weights[signal])
    height = len(signals) * (BAR + GAP) + GAP
    bars = []
    for place, signal in enumerate(signals):
        y, width = GAP + place * (BAR + GAP), weights[signal] * SCALE
        colour = COLOURS[place % len(COLOURS)]
        name = signal.value.replace("_", " ").capitalize()
        bars.append(
            f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{name}</text>'
            f'<rect x="{LEFT}" y="{y}" width="{width:.0f}" height="{BAR}" rx="4" fill="{colour}"/>'
            f'<text x="{LEFT + width + 8:.0f}" y="{y + 16}">{weights[signal] / 10:g} %</text>'
        )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif"'
        ' font-size="14" fill="#343a40" role="img" aria-label="The weight of each signal">'
    )
    return "\n".join([head, *bars, "</svg>", ""])


if __name__ == "__main__":
    Path("docs/score.svg").write_text(drawing(), encoding="utf-8")

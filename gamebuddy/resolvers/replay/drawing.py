"""Draws two rankings beside each other: what they weigh, and how good they were."""

from gamebuddy.resolvers.matching import FULL, Signal, Weights
from gamebuddy.resolvers.replay.judging import Judgement

ROW, BAR, LEFT, WIDTH, SCALE = 34, 12, 150, 720, 450
NOW, THEN = "#868e96", "#1c7ed6"


def draw(now: tuple[Weights, Judgement], then: tuple[Weights, Judgement]) -> str:
    """Give a picture as SVG: two bars for every figure and signal, grey for the current ranking, blue for the other."""
    figures = [
        ("NDCG at 20", now[1].ndcg, then[1].ndcg),
        ("Acceptance at 20", now[1].acceptance, then[1].acceptance),
    ]
    weights = [(_name(signal), now[0][signal] / FULL, then[0][signal] / FULL) for signal in Signal]
    most = max(value for _, *values in weights for value in values)
    rows = [(*row, 1.0) for row in figures] + [(*row, most) for row in weights]
    parts = []
    for place, (name, before, after, full) in enumerate(rows):
        y, scale = ROW * place + 10, SCALE / full
        parts.append(f'<text x="{LEFT - 10}" y="{y + 16}" text-anchor="end">{name}</text>')
        for number, (value, colour) in enumerate(((before, NOW), (after, THEN))):
            top = y + number * BAR
            parts.append(
                f'<rect x="{LEFT}" y="{top}" width="{value * scale:.1f}" height="{BAR - 1}" fill="{colour}"/>'
                f'<text x="{LEFT + value * scale + 6:.1f}" y="{top + 10}" font-size="11">{value:.3f}</text>'
            )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {ROW * len(rows) + 20}"'
        ' font-family="system-ui, sans-serif" font-size="14" fill="#343a40" role="img"'
        ' aria-label="Two rankings: figures and weights">'
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""])


def _name(signal: Signal) -> str:
    return signal.value.replace("_", " ").capitalize()

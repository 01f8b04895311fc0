"""peer_plot.py - recall against queries a second, as SVG."""
import math

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 480, 70, 130, 40, 50
COLOURS = ["#c0392b", "#2c3e50", "#2980b9", "#27ae60", "#8e44ad", "#d68910"]
RECALL_FROM = 0.8


def ticks(low, high):
    """1, 2 and 5 of every power of ten in between."""
    values = [digit * 10 ** power for power in range(int(math.log10(low)) - 1, int(math.log10(high)) + 1) for digit in (1, 2, 5)]
    return [value for value in values if low <= value <= high]


def svg(title, curves):
    """curves: name -> [(recall, queries a second)]; speeds are drawn on a logarithmic axis, recall from 0.8 on."""
    curves = {name: sorted(point for point in points if point[0] >= RECALL_FROM) for name, points in curves.items()}
    speeds = [speed for points in curves.values() for _, speed in points] or [1, 10]
    low, high = min(speeds) / 1.2, max(speeds) * 1.2

    def x(recall):
        return LEFT + (recall - RECALL_FROM) / (1 - RECALL_FROM) * (WIDTH - LEFT - RIGHT)

    def y(speed):
        return HEIGHT - BOTTOM - math.log(speed / low) / math.log(high / low) * (HEIGHT - TOP - BOTTOM)

    def text(at_x, at_y, words, anchor="middle"):
        return f'<text x="{at_x:.1f}" y="{at_y:.1f}" text-anchor="{anchor}">{words}</text>'

    def line(x1, y1, x2, y2, colour="#ddd"):
        return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>', text(WIDTH / 2, 22, title)]
    for recall in (0.8, 0.85, 0.9, 0.95, 0.99, 1):
        out += [line(x(recall), TOP, x(recall), HEIGHT - BOTTOM), text(x(recall), HEIGHT - BOTTOM + 18, f"{recall:g}")]
    for speed in ticks(low, high):
        out += [line(LEFT, y(speed), WIDTH - RIGHT, y(speed)), text(LEFT - 6, y(speed) + 4, f"{speed:,}", "end")]
    out += [text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, "recall@10"), text(8, TOP - 8, "queries per CPU-second", "start")]
    for (name, points), colour in zip(curves.items(), COLOURS):
        row = TOP + 20 * (list(curves).index(name) + 1)
        out += [line(WIDTH - RIGHT + 14, row, WIDTH - RIGHT + 34, row, colour), text(WIDTH - RIGHT + 40, row + 4, name, "start")]
        path = " ".join(f"{x(recall):.1f},{y(speed):.1f}" for recall, speed in points)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x(recall):.1f}" cy="{y(speed):.1f}" r="3" fill="{colour}"/>' for recall, speed in points]
    return "\n".join(out + ["</svg>", ""])

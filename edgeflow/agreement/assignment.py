"""Which object of one annotation is which of another: the assignment with the largest sum."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import numpy.typing as npt

from edgeflow.agreement.overlap import Overlaps


def best_assignment(weights: Overlaps) -> list[tuple[int, int]]:
    """The pairs, each row and column in at most one, whose weights have the largest sum.

    Args:
        weights: Positive, by row and column; pairs that are not there are never chosen.

    Returns:
        Row and column of each pair, in the rows' order.
    """
    chosen: list[tuple[int, int]] = []
    for rows, cols in _components(weights):
        matrix = np.zeros((len(rows), len(cols)))
        for at, row in enumerate(rows):
            matrix[at] = [weights.get((row, col), 0.0) for col in cols]
        if len(rows) <= len(cols):
            pairs = [(rows[one], cols[other]) for one, other in enumerate(_assign(-matrix))]
        else:
            pairs = [(rows[other], cols[one]) for one, other in enumerate(_assign(-matrix.T))]
        chosen += [pair for pair in pairs if pair in weights]
    return sorted(chosen)


def _components(weights: Overlaps) -> list[tuple[list[int], list[int]]]:
    """Rows and columns that hang together, so that each matrix is small."""
    cols_of, rows_of = defaultdict(list), defaultdict(list)
    for row, col in sorted(weights):
        cols_of[row].append(col)
        rows_of[col].append(row)
    components = []
    seen: set[int] = set()
    for first in cols_of:
        if first in seen:
            continue
        rows, cols, pending = {first}, set[int](), [first]
        while pending:
            for col in cols_of[pending.pop()]:
                if col not in cols:
                    cols.add(col)
                    pending += [row for row in rows_of[col] if row not in rows]
                    rows.update(rows_of[col])
        seen |= rows
        components.append((sorted(rows), sorted(cols)))
    return components


def _assign(costs: npt.NDArray[np.float64]) -> list[int]:
    """The column of each row in the cheapest assignment, by shortest augmenting paths.

    The Hungarian method as Jonker and Volgenant, Computing 38 (1987), carry it out.

    Args:
        costs: N×M, N ≤ M.
    """
    count, width = costs.shape
    row_price, col_price = np.zeros(count), np.zeros(width)
    row_of = np.full(width, -1)
    for start in range(count):
        reached = np.zeros(width, dtype=np.bool_)
        distance, before = np.full(width, np.inf), np.full(width, -1)
        row, col, walked = start, -1, 0.0
        while True:
            through = walked + costs[row] - row_price[row] - col_price
            shorter = ~reached & (through < distance)
            distance[shorter], before[shorter] = through[shorter], col
            col = int(np.argmin(np.where(reached, np.inf, distance)))
            walked = float(distance[col])
            if row_of[col] < 0:
                break
            reached[col] = True
            row = int(row_of[col])
        row_price[start] += walked
        row_price[row_of[reached]] += walked - distance[reached]
        col_price[reached] -= walked - distance[reached]
        while col >= 0:
            earlier = int(before[col])
            row_of[col] = row_of[earlier] if earlier >= 0 else start
            col = earlier
    assigned = [-1] * count
    for col, row in enumerate(row_of.tolist()):
        if row >= 0:
            assigned[row] = col
    return assigned

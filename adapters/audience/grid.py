"""Points in a grid of cells, and which of them a shape may touch: cells inside it, and cells at its border.

A cell is a run of rows in arrays sorted by cell. The edges of the cells are quantiles of the points' own longitudes and
latitudes, so that a city's points are spread over all cells and one stray point far away costs nothing. What does not
belong here: distances, people, and the exact test at the border.
"""

from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import Polygon
from shapely.geometry.base import BaseGeometry

from adapters.audience.table import Floats

POINTS_PER_CELL: Final = 6
MOST_CELLS_ALONG: Final = 512
FEW_POINTS: Final = 2_048
"""So few are tested one by one sooner than their cells are looked through."""

NARROW: Final = 1e-9
"""Degrees (a tenth of a millimetre) by which the border is taken to be wide, so that rounding loses nobody."""

Rows = NDArray[np.int64]


class Grid:
    """Points by cell. `longitudes` and `latitudes` are in the order of the cells; `order` is where each came from."""

    def __init__(self, longitudes: Floats, latitudes: Floats) -> None:
        """Sort the points into cells."""
        along = int(np.clip(np.sqrt(len(longitudes) / POINTS_PER_CELL), 1, MOST_CELLS_ALONG))
        self._west_edges, self._south_edges = _edges(longitudes, along), _edges(latitudes, along)
        self._columns, self._rows = len(self._west_edges) - 1, len(self._south_edges) - 1
        column = np.searchsorted(self._west_edges[1:-1], longitudes, side="right")
        row = np.searchsorted(self._south_edges[1:-1], latitudes, side="right")
        cells = row * self._columns + column
        self.order = np.argsort(cells, kind="stable")
        self.longitudes, self.latitudes = longitudes[self.order], latitudes[self.order]
        self._starts = np.searchsorted(cells[self.order], np.arange(self._columns * self._rows + 1))

    def candidates(self, shape: BaseGeometry, margin: tuple[float, float]) -> tuple[Rows, Rows]:
        """Rows that lie in the shape, and rows that must be tested; all others are further away than the margin.

        `margin` is in degrees of longitude and of latitude.
        """
        nothing = np.empty(0, dtype=np.int64)
        wide, high = margin[0] + NARROW, margin[1] + NARROW
        west, south, east, north = shape.bounds
        columns = self._span(self._west_edges, west - wide, east + wide)
        rows = self._span(self._south_edges, south - high, north + high)
        if columns is None or rows is None:
            return nothing, nothing
        block = np.arange(rows[0], rows[1])[:, None] * self._columns + np.arange(columns[0], columns[1])
        first, last = self._starts[block[:, 0]], self._starts[block[:, -1] + 1]
        if int((last - first).sum()) <= FEW_POINTS:
            return nothing, _ranges(first, last)
        border, inside = _cells(
            shape, self._west_edges[columns[0] : columns[1] + 1], self._south_edges[rows[0] : rows[1] + 1], (wide, high)
        )
        return self._rows_of(block[inside & ~border]), self._rows_of(block[border])

    @staticmethod
    def _span(edges: Floats, low: float, high: float) -> tuple[int, int] | None:
        """The cells between the edges that reach into [low, high], as from and up to before; None when none does."""
        if high < edges[0] or low > edges[-1]:
            return None
        first = int(np.searchsorted(edges[1:-1], low, side="left"))
        last = int(np.searchsorted(edges[1:-1], high, side="right"))
        return first, last + 1

    def _rows_of(self, cells: Rows) -> Rows:
        return _ranges(self._starts[cells], self._starts[cells + 1])


def _edges(values: Floats, along: int) -> Floats:
    """Edges between which lie about equally many values, the outermost at the least and the greatest of them."""
    ranked = np.sort(values)
    places = np.linspace(0, len(ranked) - 1, along + 1).astype(np.int64)
    edges = np.unique(ranked[places])
    return edges if len(edges) > 1 else np.array((edges[0], edges[0]))


def _ranges(first: Rows, last: Rows) -> Rows:
    """All rows from each first up to before its last."""
    counts = last - first
    ends = np.cumsum(counts)
    rows: Rows = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(first - (ends - counts), counts)
    return rows


def _cells(
    shape: BaseGeometry, west: Floats, south: Floats, margin: tuple[float, float]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """By row and column of a block of cells: which the widened border reaches, and which have their middle inside.

    Every edge of the shape marks, in each column that it passes, the rows between its lowest and highest there. A
    cell that no edge reaches lies wholly inside or outside, as the number of edges below its middle is odd or even.
    """
    starts, ends = _segments(shape)
    columns, rows = len(west) - 1, len(south) - 1
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    run = ends[:, 0] - starts[:, 0]
    is_upright = run == 0
    slope = (ends[:, 1] - starts[:, 1]) / np.where(is_upright, 1.0, run)
    base = starts[:, 1] - slope * starts[:, 0]

    wide, tall = margin
    edge, column = _pairs(_place(west, low[:, 0] - wide), _place(west, high[:, 0] + wide))
    at_west = base[edge] + slope[edge] * (west[column] - wide)
    at_east = base[edge] + slope[edge] * (west[column + 1] + wide)
    least, most = low[edge, 1], high[edge, 1]
    bottom = np.where(is_upright[edge], least, np.maximum(np.minimum(at_west, at_east), least)) - tall
    top = np.where(is_upright[edge], most, np.minimum(np.maximum(at_west, at_east), most)) + tall
    reaches = (top >= south[0]) & (bottom <= south[-1]) & (bottom <= top)
    first, last, column = _place(south, bottom)[reaches], _place(south, top)[reaches], column[reaches]
    border = _counted(first, column, rows, columns) - _counted(last + 1, column, rows, columns)

    middles = (west[:-1] + west[1:]) / 2
    edge, column = _pairs(np.searchsorted(middles, low[:, 0]), np.searchsorted(middles, high[:, 0]) - 1)
    crossing = np.minimum(np.maximum(base[edge] + slope[edge] * middles[column], low[edge, 1]), high[edge, 1])
    above = np.searchsorted((south[:-1] + south[1:]) / 2, crossing)
    crossings = _counted(above, column, rows, columns)
    return np.cumsum(border, axis=0)[:-1] > 0, (np.cumsum(crossings, axis=0)[:-1] & 1).astype(bool)


def _counted(row: Rows, column: Rows, rows: int, columns: int) -> NDArray[np.int64]:
    """How often each cell is named, with one row more above the block."""
    return np.bincount(row * columns + column, minlength=(rows + 1) * columns).reshape(rows + 1, columns)


def _segments(shape: BaseGeometry) -> tuple[Floats, Floats]:
    """Both ends of every edge of a surface."""
    surfaces = shape if isinstance(shape, Polygon) else shapely.get_parts(shape)
    points, ring = shapely.get_coordinates(shapely.get_rings(surfaces), return_index=True)
    joined = ring[1:] == ring[:-1]
    return points[:-1][joined], points[1:][joined]


def _place(edges: Floats, values: Floats) -> Rows:
    """The cell that each value lies in, the outermost for those beyond them."""
    return np.searchsorted(edges[1:-1], values, side="right")


def _pairs(first: Rows, last: Rows) -> tuple[Rows, Rows]:
    """(segment, column) for every column from the segment's first to its last."""
    counts = np.maximum(last + 1 - first, 0)
    return np.repeat(np.arange(len(first)), counts), _ranges(first, first + counts)

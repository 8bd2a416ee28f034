"""A page laid askew on the scanner: by how much, and turned upright again with the way back for points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from geocbar.errors import InvalidInputError

__all__ = ["TurnedPicture", "skew_angle", "turn_upright"]

#: Largest angle looked for, in degrees.
LARGEST_ANGLE = 4.0

#: Angles below this are taken for upright, in degrees.
LEAST_ANGLE = 0.08

#: Width of the angle bins, in degrees.
BIN = 0.05

#: A line counts from this share of the picture's shorter side.
LEAST_LENGTH = 0.07

#: The picture is looked at in at most this many pixels on its longer side.
WORKING_SIZE = 2000

#: Lines that are resampled together, white pixels added to their ends, and the unit of what lies between two passes.
BLOCK, MARGIN, FINE = 64, 12, 64


@dataclass(frozen=True, eq=False)
class TurnedPicture:
    """A picture turned upright.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The upright picture, as large as the whole page needs; white where the page does not reach.
    angle : float
        By how much the page was askew, in degrees; see :func:`skew_angle`.
    matrix : (2, 3) float array
        Takes upright (x, y) to the original picture.
    """

    pixels: NDArray[np.uint8]
    angle: float
    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        self.matrix.setflags(write=False)

    def to_original(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points (n, 2) of the upright picture in pixels of the original one."""
        xy = np.asarray(points, dtype=np.float64)
        return np.asarray(xy @ self.matrix[:, :2].T + self.matrix[:, 2])

    def to_upright(self, points: ArrayLike) -> NDArray[np.float64]:
        """Points (n, 2) of the original picture in pixels of the upright one."""
        xy = np.asarray(points, dtype=np.float64)
        return np.asarray((xy - self.matrix[:, 2]) @ np.linalg.inv(self.matrix[:, :2]).T)


def skew_angle(pixels: NDArray[np.uint8]) -> float:
    """By how many degrees a page is askew, from its long straight lines.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The picture, sRGB.

    Returns
    -------
    float
        Positive where the page is turned anticlockwise (a level line rises to the right); within 4 degrees. 0.0 where
        lines are upright, or where there are none that agree.
    """
    pixels = np.asarray(pixels)
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        raise InvalidInputError(f"A skew is looked for in (rows, columns, 3) pixels, not in {pixels.shape}.")
    factor = max(1, round(max(pixels.shape[:2]) / WORKING_SIZE))
    bright = _brightness(pixels, factor)
    angles, weights = [], []
    for plane, sign in ((bright, 1.0), (bright.T, -1.0)):
        found, weight = _line_angles(plane)
        angles.append(sign * found)
        weights.append(weight)
    angle, weight = np.concatenate(angles), np.concatenate(weights)
    if not len(angle):
        return 0.0
    edges = np.arange(-LARGEST_ANGLE - BIN / 2, LARGEST_ANGLE + BIN, BIN)
    counts = np.histogram(angle, edges, weights=weight)[0]
    smooth = np.convolve(counts, [1, 1, 1], "same")
    peak = int(np.argmax(smooth))
    middle = (edges[peak] + edges[peak + 1]) / 2
    near = np.abs(angle - middle) <= 2 * BIN
    # Slanted lines of the map have all angles; those of frame and bar agree.
    if smooth[peak] < 0.3 * weight.sum():
        return 0.0
    for _ in range(3):
        middle = float(np.average(angle[near], weights=weight[near]))
        near = np.abs(angle - middle) <= 2 * BIN
        if not near.any():
            return 0.0
    return 0.0 if abs(middle) < LEAST_ANGLE else float(middle)


def _brightness(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.float32]:
    """Brightness in blocks of `factor` pixels."""
    height, width = (n - n % factor for n in pixels.shape[:2])
    bright = np.zeros((height // factor, width // factor), np.float32)
    for row in range(factor):
        for col in range(factor):
            part = pixels[row:height:factor, col:width:factor]
            bright += 0.299 * part[..., 0] + np.float32(0.587) * part[..., 1] + np.float32(0.114) * part[..., 2]
    return np.asarray(bright / factor**2)


def _line_angles(bright: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Angles (degrees, rising to the right) and weights of nearly level edges.

    Edges of one sign that are steepest across are joined along the line; a straight line is fitted to the sub-pixel
    places of each.
    """
    least = max(20.0, LEAST_LENGTH * min(bright.shape))
    across = ndimage.gaussian_filter1d(bright, 1.0, axis=0, order=1)
    found: list[float] = []
    weights: list[float] = []
    for sign in (1, -1):
        slope = sign * across
        edge = slope > 6
        edge[1:-1] &= (slope[1:-1] >= slope[:-2]) & (slope[1:-1] > slope[2:])
        edge[[0, -1]] = False
        labels, count = ndimage.label(edge, structure=np.ones((3, 3)))
        if not count:
            continue
        rows, cols = np.nonzero(edge)
        number = labels[rows, cols]
        sizes = np.bincount(number, minlength=count + 1)
        keep = sizes[number] >= least
        rows, cols, number = rows[keep], cols[keep], number[keep]
        if not len(rows):
            continue
        low, here, high = slope[rows - 1, cols], slope[rows, cols], slope[rows + 1, cols]
        shift = 0.5 * (low - high) / np.minimum(low - 2 * here + high, -1e-6)
        angle, length, rms = _fitted(number, cols.astype(np.float64), rows + shift.astype(np.float64), count)
        good = (length >= least) & (rms <= 0.35) & (np.abs(angle) <= LARGEST_ANGLE)
        found += angle[good].tolist()
        weights += (length[good] ** 2).tolist()
    return np.array(found), np.array(weights)


def _fitted(
    number: NDArray[np.intp], x: NDArray[np.float64], y: NDArray[np.float64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Angle, length and scatter of the straight line through the points of each number."""
    n = np.maximum(np.bincount(number, minlength=count + 1), 1)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.bincount(number, values, minlength=count + 1) / n)

    x0, y0 = mean(x), mean(y)
    dx, dy = x - x0[number], y - y0[number]
    sxx, sxy, syy = mean(dx * dx), mean(dx * dy), mean(dy * dy)
    slope = sxy / np.maximum(sxx, 1e-9)
    rms = np.sqrt(np.maximum(syy - slope * sxy, 0))
    # A run of n points, one to a column, is n long; points that crowd above one another are no line.
    length = np.minimum(np.sqrt(12 * sxx), n)
    return -np.degrees(np.arctan(slope)), length, rms


def turn_upright(pixels: NDArray[np.uint8], angle: float) -> TurnedPicture:
    """Turn a picture upright, by cubic splines.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The picture, sRGB.
    angle : float
        By how much it is askew, in degrees, as :func:`skew_angle` tells.

    Returns
    -------
    TurnedPicture
        The very same pixels for an angle of 0.

    Raises
    ------
    InvalidInputError
        For an angle beyond 45 degrees.

    Notes
    -----
    The picture is resampled along its rows, then along its columns.

    References
    ----------
    Catmull, E. and Smith, A. R. (1980). 3-D transformations of images in scanline order. SIGGRAPH Computer Graphics 14,
    279-285. https://doi.org/10.1145/965105.807505
    """
    if not abs(angle) <= 45:
        raise InvalidInputError(f"A page askew by {angle:g} degrees lies on its side.", "Turn it by hand first.")
    height, width = pixels.shape[:2]
    if angle == 0:
        return TurnedPicture(pixels, 0.0, np.array([[1.0, 0, 0], [0, 1, 0]]))
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    # Upright (x, y) is turned anticlockwise on the page, whose y runs down.
    turn = np.array([[cos, sin], [-sin, cos]])
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) @ turn
    low = np.floor(corners.min(axis=0) + 1e-9)
    cols, rows = (int(n) for n in np.ceil(corners.max(axis=0) - low - 1e-9))
    matrix = np.column_stack([turn, turn @ low])
    shift_x, shift_y = matrix[:, 2]
    # First the upright columns on the rows of the page, then the upright rows.
    level = _resampled(pixels.transpose(0, 2, 1), cols, (1 / cos, sin / cos, shift_x - shift_y * sin / cos), FINE)
    turned = _resampled(level.transpose(2, 1, 0), rows, (cos, -sin, shift_y), 1 / FINE)
    upright = np.empty((rows, cols, 3), np.uint8)
    np.clip(turned.transpose(2, 0, 1), 0, 255, out=upright, casting="unsafe")
    return TurnedPicture(upright, float(angle), matrix)


def _resampled(
    lines: NDArray[np.integer], length: int, place: tuple[float, float, float], times: float
) -> NDArray[np.int16]:
    """Resample lines (n, 3, m) to (n, 3, length), white beyond their ends, and multiply them.

    Pixel c of line r is taken from ``place[0] * c + place[1] * r + place[2]`` of that line, counted at pixel centres.
    """
    count, _, before = lines.shape
    white = 255.0 if times > 1 else 255.0 / times
    out = np.empty((count, 3, length), np.int16)
    centres = place[0] * (np.arange(length) + 0.5) + place[2] - 0.5
    for start in range(0, count, BLOCK):
        part = np.full((min(BLOCK, count - start), 3, before + 2 * MARGIN), white, np.float32)
        part[..., MARGIN:-MARGIN] = lines[start : start + BLOCK]
        coefficients = ndimage.spline_filter1d(part * np.float32(times), 3, output=np.float32, mode="mirror")
        for row, line in enumerate(coefficients):
            at = centres + place[1] * (start + row + 0.5) + MARGIN
            first = np.floor(at)
            index = first.astype(np.intp) - 1
            value = np.zeros((3, length), np.float32)
            for tap, weight in enumerate(_spline_weights((at - first).astype(np.float32))):
                value += np.take(line, index + tap, axis=1, mode="clip") * weight
            out[start + row] = np.rint(value, out=value)
    return out


def _spline_weights(share: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Cubic B-spline at the four pixels around a place, which lies `share` of the way from the second to the third."""
    rest = 1 - share
    outer = [part * part * part / np.float32(6) for part in (rest, share)]
    inner = [np.float32(2 / 3) - part * part * (1 - part / 2) for part in (share, rest)]
    return [outer[0], inner[0], inner[1], outer[1]]

"""What a picture's own file, and the files beside it, say about its place."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from affine import Affine
from numpy.typing import NDArray

from geocbar.errors import FileProblemError, GeocbarError, InvalidInputError
from geocbar.files.images import FORMATS, pillow_limit_off
from geocbar.files.kml_overlays import find_overlays
from geocbar.files.pam import PamStatement, read_pam
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.local_crs import crs_definition
from geocbar.place.projections import is_geographic, project_points, require_crs

__all__ = ["Placement", "read_placement"]

#: Statements further apart than this, in pixels, are refused; world files are often half a pixel off.
AGREE_PX = 1.0

#: Statements closer than this, in pixels, are one.
SAME_PX = 0.1

#: EXIF and TIFF tag.
_ORIENTATION = 0x0112

#: Which pixel places become control points, as shares of width and height.
_SPOTS = {
    "top left": (0.0, 0.0),
    "top": (0.5, 0.0),
    "top right": (1.0, 0.0),
    "left": (0.0, 0.5),
    "centre": (0.5, 0.5),
    "right": (1.0, 0.5),
    "bottom left": (0.0, 1.0),
    "bottom": (0.5, 1.0),
    "bottom right": (1.0, 1.0),
}


@dataclass(frozen=True, eq=False)
class Placement:
    """Where a picture says it lies.

    Parameters
    ----------
    gcps : GroundControlPoints
        For an exact placement nine places spread over the picture, to which the affine transform fits exactly; else
        the control points as stated.
    source : str
        Which file says so: ``"the GeoTIFF tags of map.tif"``, ``"the world file map.jgw"``, ...
    exact : bool
        Whether the file states an affine transform, so that nothing need be fitted: use the model ``affine``.
    notes : tuple of str
        What a person should know.
    """

    gcps: GroundControlPoints
    source: str
    exact: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class _Statement:
    """An affine transform (pixel corner convention) or control points, in a CRS that may not be known ("")."""

    source: str
    crs: str
    affine: Affine | None = None
    points: tuple[tuple[str, float, float, float, float], ...] = ()
    notes: tuple[str, ...] = ()


def read_placement(path: str | Path, *, crs: str | None = None) -> Placement | None:
    """What a picture's file, and the files beside it, say about its place.

    Read are, in GDAL's order: the sidecar ``NAME.aux.xml``, GeoTIFF tags (an affine transform or control points), a
    world file (``.jgw``, ``.pgw``, ``.tfw``, ``.gfw``, ``.bpw``, ``.wld``, ... in upper or lower case), and ground
    overlays of the ``.kml`` files beside the picture that name it. All of them must agree.

    Parameters
    ----------
    path : str or Path
        The picture.
    crs : str or None
        Coordinate reference system of a statement that names none, as world files do; the sidecar's, the TIFF's and
        that of a ``.prj`` beside the picture come first.

    Returns
    -------
    Placement or None
        None if nothing is said, for PDF files, and for pictures that an EXIF orientation turns.

    Raises
    ------
    FileProblemError
        If the picture is missing, or what stands beside it is damaged.
    InvalidInputError
        If no coordinate reference system is known, two statements disagree by more than a pixel, or a transform
        squeezes the picture into a line.
    NotFoundError
        If a coordinate reference system is not known.

    References
    ----------
    GDAL, "Raster data model", "World files" and "PAM": https://gdal.org/user/raster_data_model.html
    """
    path = Path(path)
    shape = _upright_size(path)
    if shape is None:
        return None
    size, is_tiff = shape
    pam = read_pam(path.with_name(path.name + ".aux.xml"))
    inside, inside_crs = _read_tiff(path) if is_tiff else (None, "")
    said: list[_Statement] = []
    if pam is not None and (pam.affine is not None or pam.points):
        said.append(_of_pam(path, pam))
    if inside is not None:
        said.append(inside)
    said += [_Statement(f"the world file {beside.name}", "", matrix) for beside, matrix in _world_files(path)]
    named = _named_systems(path, pam, inside_crs) if said else []
    placed = [_with_crs(statement, named[0][1] if named else "", crs, size) for statement in said]
    # The same transform in each system that is named: they must not put the picture in different places.
    placed += [replace(placed[0], source=source, crs=system) for source, system in named if placed[0].crs != system]
    for overlay in find_overlays(path, size):
        source, notes = f"the ground overlay in {overlay.file}", (overlay.note,) if overlay.note else ()
        placed.append(_Statement(source, "EPSG:4326", overlay.affine, overlay.points, notes))
    if not placed:
        return None
    for statement in placed:
        _require_area(path, statement)
    differences = [note for other in placed[1:] for note in _compare(path, placed[0], other, size)]
    return _to_placement(placed[0], size, (*placed[0].notes, *differences))


def _upright_size(path: Path) -> tuple[tuple[int, int], bool] | None:
    """Width and height, and whether it is a TIFF; None for what is no picture, or turned by its EXIF orientation."""
    from PIL import Image, UnidentifiedImageError

    try:
        with pillow_limit_off(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # only the header is read, and read_image says what is wrong with it
            with Image.open(path, formats=FORMATS) as image:
                turned = image.getexif().get(_ORIENTATION, 1) not in (0, 1)
                return None if turned else (image.size, image.format == "TIFF")
    except FileNotFoundError as error:
        raise FileProblemError(f"There is no file {path}.", "Check the path of the map.") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None  # read_image says what is wrong with it


def _named_systems(path: Path, pam: PamStatement | None, inside: str) -> list[tuple[str, str]]:
    """Which files name a reference system, and which; the first counts."""
    sidecar = _crs_text(pam.crs) if pam is not None and pam.crs else ""
    named = [
        (f"the reference system in {path.name}.aux.xml", sidecar),
        (f"the reference system in {path.name}", inside),
        (f"the reference system in {path.stem}.prj", _read_prj(path)),
    ]
    for _, system in named:
        if system:
            require_crs(system)
    return [(source, system) for source, system in named if system]


def _crs_text(wkt: str) -> str:
    """The code of a reference system where it has one, else its WKT."""
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        system = CRS.from_user_input(wkt)
    except CRSError:
        return wkt  # require_crs says that it is not known
    code = system.to_epsg(100)
    return f"EPSG:{code}" if code is not None else system.to_wkt()


def _read_tiff(path: Path) -> tuple[_Statement | None, str]:
    """What the tags inside a TIFF say, and its CRS or ""."""
    import rasterio
    from rasterio.errors import NotGeoreferencedWarning, RasterioError

    options = {"GDAL_GEOREF_SOURCES": "INTERNAL", "GDAL_PAM_ENABLED": "NO", "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        try:
            with rasterio.Env(**options), rasterio.open(path, driver="GTiff") as file:
                matrix, system, (points, points_crs) = file.transform, file.crs, file.gcps
        except RasterioError:
            return None, ""  # a TIFF that Pillow alone can read has no GeoTIFF tags worth trusting
    system = system or points_crs
    crs = _crs_text(system.to_wkt()) if system else ""
    source = f"the GeoTIFF tags of {path.name}"
    if not matrix.almost_equals(Affine.identity(), 1e-15):
        return _Statement(source, crs, matrix), crs
    if points:
        return _Statement(source, crs, points=tuple((p.id or "", p.col, p.row, p.x, p.y) for p in points)), crs
    return None, crs


def _of_pam(path: Path, pam: PamStatement) -> _Statement:
    crs = _crs_text(pam.crs) if pam.crs else ""
    return _Statement(f"the sidecar {path.name}.aux.xml", crs, pam.affine, pam.points)


def _beside(path: Path, endings: set[str]) -> Iterator[Path]:
    """Files with the picture's name and other endings, whatever their case."""
    for other in sorted(path.parent.iterdir()):
        if other.stem == path.stem and other.suffix.lower() in endings and other.is_file():
            yield other


def _world_files(path: Path) -> Iterator[tuple[Path, Affine]]:
    """World files beside a picture and the transforms they state, from pixel corners."""
    ending = path.suffix.lower().removeprefix(".")
    if not ending:
        return
    for beside in _beside(path, {f".{ending[0]}{ending[-1]}w", f".{ending}w", ".wld"}):
        numbers = _read_numbers(beside)
        a, d, b, e, x, y = numbers
        # A world file states the centre of the first pixel, the transform its top-left corner.
        yield beside, Affine(a, b, x - (a + b) / 2, d, e, y - (d + e) / 2)


def _read_numbers(path: Path) -> list[float]:
    try:
        words = path.read_bytes().decode("utf-8-sig", errors="replace").split()
    except OSError as error:
        raise FileProblemError(f"{path.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
    number = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
    wrong = [word for word in words if not number.fullmatch(word)]
    if wrong or len(words) != 6:
        what = f"{wrong[0][:20]!r} is not a number" if wrong else f"it holds {len(words)}"
        raise FileProblemError(
            f"The world file {path.name} should hold six numbers; {what}.",
            "Correct it with points for decimals, or move it away and give control points: --gcps FILE",
        )
    return [float(word) for word in words]


def _read_prj(path: Path) -> str:
    """The CRS of a .prj beside the picture, or ""."""
    for beside in _beside(path, {".prj"}):
        try:
            text = beside.read_bytes().decode("utf-8-sig", errors="replace").strip()
            require_crs(text)
        except (OSError, GeocbarError) as error:
            raise FileProblemError(
                f"{beside.name} does not hold a reference system that is known.",
                "Move it away and name the system: --gcp-crs EPSG:32633",
            ) from error
        return _crs_text(text)
    return ""


def _with_crs(statement: _Statement, stated: str, told: str | None, size: tuple[int, int]) -> _Statement:
    """A statement in the CRS it names itself, else one named beside it, else the one that was told."""
    from pyproj import CRS

    own = statement.crs or stated
    for system in filter(None, (own, told)):
        require_crs(system)
    if not own and not told:
        x, y = _world_of(statement, size).T
        degrees = np.abs(x).max() <= 360 and np.abs(y).max() <= 90
        shown = f"x {x.min():.6g} to {x.max():.6g}, y {y.min():.6g} to {y.max():.6g}"
        raise InvalidInputError(
            f"{statement.source[0].upper()}{statement.source[1:]} places the picture ({shown}) but names no"
            " coordinate reference system.",
            "Name it; if these are longitudes and latitudes: --gcp-crs EPSG:4326"
            if degrees
            else "Name it, for example --gcp-crs EPSG:32633",
        )
    crs = own or crs_definition(str(told))
    notes = statement.notes
    named, asked = (CRS.from_user_input(text) for text in (crs, crs_definition(told or crs)))
    if not named.equals(asked, ignore_axis_order=True):
        notes = (*notes, f"The file names its own reference system, {named.name}; {told} was not used.")
    return _Statement(statement.source, crs, statement.affine, statement.points, notes)


def _apply(matrix: Affine, pixels: NDArray[np.float64]) -> NDArray[np.float64]:
    a, b, c, d, e, f = matrix[:6]
    col, row = pixels.T
    return np.stack([a * col + b * row + c, d * col + e * row + f], axis=1)


def _spots(size: tuple[int, int], share: float = 1.0) -> NDArray[np.float64]:
    """The nine places, drawn together about the centre by `share`."""
    spots = np.array(list(_SPOTS.values()))
    return ((spots - 0.5) * share + 0.5) * size


def _world_of(statement: _Statement, size: tuple[int, int]) -> NDArray[np.float64]:
    if statement.affine is not None:
        return _apply(statement.affine, _spots(size))
    return np.array([point[3:] for point in statement.points])


def _require_area(path: Path, statement: _Statement) -> None:
    """Refuse a transform that is not finite or squeezes the picture into a line."""
    if statement.affine is None:
        return
    a, b, _, d, e, _ = statement.affine[:6]
    area, largest = abs(a * e - b * d), max(abs(a), abs(b), abs(d), abs(e))
    if not (np.isfinite(np.array(statement.affine[:6])).all() and area > 1e-12 * largest**2):
        raise InvalidInputError(
            f"The transform in {statement.source} squeezes {path.name} into a line: pixel size {a:g}, {d:g}, {b:g},"
            f" {e:g}.",
            "Correct that file or move it away, or give control points: --gcps FILE",
        )


def _compare(path: Path, first: _Statement, other: _Statement, size: tuple[int, int]) -> list[str]:
    """Notes on a second statement; a contradiction is refused."""
    if first.affine is None or other.affine is None:
        return [f"{other.source[0].upper()}{other.source[1:]} was not used: {first.source} came first."]
    pixels = _spots(size)
    try:
        world = project_points(_apply(other.affine, pixels), other.crs, first.crs)
    except InvalidInputError:
        world = np.full_like(pixels, np.nan)  # one of them is a local plane
    if is_geographic(first.crs):
        world[:, 0] -= 360 * np.round(np.nanmean(world[:, 0] - _apply(first.affine, pixels)[:, 0]) / 360)
    apart = np.hypot(*(_apply(~first.affine, world) - pixels).T)
    worst = float(np.where(np.isfinite(apart), apart, np.inf).max())
    if worst > AGREE_PX:
        far = f"{worst:.3g} px apart" if np.isfinite(worst) else "in places that cannot be compared"
        raise InvalidInputError(
            f"{first.source[0].upper()}{first.source[1:]} and {other.source} put {path.name} {far}.",
            "Move the wrong one away, or give control points: --gcps FILE",
        )
    if worst > SAME_PX:
        return [f"{other.source[0].upper()}{other.source[1:]} differs by {worst:.2g} px and was not used."]
    return []


def _to_placement(statement: _Statement, size: tuple[int, int], notes: tuple[str, ...]) -> Placement:
    if statement.affine is None:
        given = [point[0].strip() for point in statement.points]
        unique = all(given) and len(set(given)) == len(given)
        numbers: Any = np.array([point[1:] for point in statement.points])
        names = tuple(given) if unique else ()
        gcps = GroundControlPoints(numbers[:, :2], numbers[:, 2:], statement.crs, names)
        return Placement(gcps, statement.source, False, notes)
    share = 1.0
    if is_geographic(statement.crs):
        # The margins of a world map may lie beyond the poles: the same transform is told by places within.
        while share > 0.01 and np.abs(_apply(statement.affine, _spots(size, share))[:, 1]).max() > 90:
            share *= 0.9
    pixels = _spots(size, share)
    gcps = GroundControlPoints(pixels, _apply(statement.affine, pixels), statement.crs, tuple(_SPOTS))
    return Placement(gcps, statement.source, True, notes)

"""Layers of points, ours and others': GeoPackage, GeoJSON, FlatGeobuf, CSV and whatever else GDAL knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.tables import Row, TextTable, read_table
from geocbar.grid.points import Points

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["PointLayer", "read_points"]

#: Names of columns of a table, in lower case.
_X = ("lon", "longitude", "long", "x", "easting")
_Y = ("lat", "latitude", "y", "northing")

_NEEDED = "Name the columns: lon,lat,value (and sigma), or x,y,value with --crs."


@dataclass(frozen=True, eq=False)
class PointLayer:
    """Points with values, and where they hold.

    Parameters
    ----------
    points : Points
        Those whose value is a number.
    dropped : int
        How many had none.
    area : Polygon, MultiPolygon or None
        Where there are data, in the CRS of the points, if the file says.
    """

    points: Points
    dropped: int = 0
    area: BaseGeometry | None = None


def read_points(path: str | Path, value: str = "value", crs: str | None = None) -> PointLayer:
    """Read a layer of points: of a GeoPackage the layer ``points`` or the first one of points.

    Parameters
    ----------
    path : str or Path
        A CSV file with columns lon and lat (or x and y), or any vector format of GDAL.
    value : str
        Field with the values. Fields ``sigma`` and ``count`` are used, too, if they are there.
    crs : str or None
        Of the coordinates; by default as the file says, and EPSG:4326 for lon and lat in a CSV file.

    Returns
    -------
    PointLayer

    Raises
    ------
    FileProblemError
        If the file is missing or no layer of points.
    InvalidInputError
        If a field is missing, or the CRS is not known.
    """
    path = Path(path)
    if path.suffix.lower() in (".csv", ".txt", ".tsv"):
        return _from_table(path, value, crs)
    return _from_layer(path, value, crs)


def _from_table(path: Path, value: str, crs: str | None) -> PointLayer:
    table = read_table(path, _NEEDED)
    if len(table.rows) < 2:
        raise InvalidInputError(f"{path.name} holds no points.", _NEEDED)
    header, *rows = table.rows
    names = [name.strip().lower() for name in header.fields]
    at = {"x": _column(path, names, _X), "y": _column(path, names, _Y), "value": _column(path, names, (value.lower(),))}
    degrees = names[at["x"]].startswith("lon")
    if crs is None and not degrees:
        raise InvalidInputError(f"{path.name} gives {names[at['x']]} and {names[at['y']]} but no CRS.", "Give --crs.")
    optional = {key: names.index(key) for key in ("sigma", "count") if key in names}
    columns = {key: _numbers(path, table, rows, column) for key, column in (at | optional).items()}
    return _layer(
        np.stack([columns["x"], columns["y"]], axis=1),
        columns["value"],
        crs or "EPSG:4326",
        columns.get("sigma"),
        columns.get("count"),
    )


def _column(path: Path, names: list[str], known: tuple[str, ...]) -> int:
    found = [at for at, name in enumerate(names) if name in known]
    if not found:
        raise InvalidInputError(f"{path.name} has no column {known[0]}: its header is {', '.join(names)!r}.", _NEEDED)
    return min(found, key=lambda at: known.index(names[at]))


def _numbers(path: Path, table: TextTable, rows: list[Row], at: int) -> NDArray[np.float64]:
    numbers = np.full(len(rows), np.nan)
    for i, row in enumerate(rows):
        text = row.fields[at].strip() if at < len(row.fields) else ""
        if table.delimiter != ",":
            text = text.replace(",", ".")
        if not text or text.lower() == "nan":
            continue
        try:
            numbers[i] = float(text)
        except ValueError:
            name = table.rows[0].fields[at].strip()
            raise InvalidInputError(
                f"{path.name}, line {row.number}, column {name}: {text!r} is not a number.", "Mend that cell."
            ) from None
    return numbers


def _from_layer(path: Path, value: str, crs: str | None) -> PointLayer:
    frame, area = _read_frames(path)
    numeric = [name for name in frame.columns if name != frame.geometry.name and frame[name].dtype.kind in "iuf"]
    if value not in numeric:
        raise InvalidInputError(
            f"{path.name} has no field {value!r} with numbers.",
            f"Give --value: {', '.join(numeric) or 'there is none'}",
        )
    if crs is None and frame.crs is None:
        raise InvalidInputError(f"{path.name} says nothing of its CRS.", "Give it: --crs EPSG:4326")
    places = np.stack([frame.geometry.x, frame.geometry.y], axis=1).astype(np.float64)
    known = crs or str(frame.crs.to_wkt() if frame.crs.to_epsg() is None else f"EPSG:{frame.crs.to_epsg()}")
    extra = {key: frame[key].to_numpy(np.float64) for key in ("sigma", "count") if key in numeric}
    return _layer(places, frame[value].to_numpy(np.float64), known, extra.get("sigma"), extra.get("count"), area)


def _read_frames(path: Path) -> tuple[GeoDataFrame, BaseGeometry | None]:
    import geopandas
    import pyogrio
    from pyogrio.errors import DataLayerError, DataSourceError

    if not path.exists():
        raise FileProblemError(f"There is no file {path}.", "Check the path of the points.")
    try:
        layers: list[tuple[str, Any]] = [(str(name), kind) for name, kind in pyogrio.list_layers(path)]
        of_points = [name for name, kind in layers if kind in ("Point", "Point Z", "Unknown")]
        if not of_points:
            raise FileProblemError(f"{path.name} has no layer of points.", "Name another file.")
        frame = geopandas.read_file(path, layer="points" if "points" in of_points else of_points[0], engine="pyogrio")
        area = None
        if any(name == "data_area" for name, _ in layers):
            area = geopandas.read_file(path, layer="data_area", engine="pyogrio").union_all()
    except (DataSourceError, DataLayerError) as error:
        cause = str(error).partition("\n")[0].rstrip(". ")
        raise FileProblemError(f"{path.name} cannot be read: {cause}.", "Name a layer of points.") from error
    if not (frame.geom_type == "Point").all():
        raise FileProblemError(f"{path.name} holds {frame.geom_type.iloc[0]} features.", "Give a layer of points.")
    return frame, area


def _layer(
    xy: NDArray[np.float64],
    values: NDArray[np.float64],
    crs: str,
    sigma: NDArray[np.float64] | None,
    count: NDArray[np.float64] | None,
    area: BaseGeometry | None = None,
) -> PointLayer:
    """Points that have a place and a value; of several on one place the first."""
    good = np.isfinite(values) & np.isfinite(xy).all(axis=1)
    first = np.unique(xy, axis=0, return_index=True)[1]
    single = np.zeros(len(xy), np.bool_)
    single[first] = True
    good &= single
    if not good.any():
        raise InvalidInputError(f"None of {len(values)} points has a place and a value.", "Check --value.")
    known = sigma is not None and np.isfinite(sigma[good]).all()
    points = Points(
        xy=xy[good],
        values=values[good],
        count=np.ones(int(good.sum()), np.int64)
        if count is None
        else np.nan_to_num(count[good], nan=1).astype(np.int64),
        pixels=np.zeros((int(good.sum()), 2)),
        crs=crs,
        sigma=sigma[good] if known and sigma is not None else None,
    )
    return PointLayer(points, int((~good).sum()), area)

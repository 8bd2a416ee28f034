"""Points as GeoPackage, styled for QGIS and with control points and footprint; and in other formats."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.files.qgis_style import footprint_style, gcp_style, point_style
from geocbar.grid.thinning import Points
from geocbar.place.georeference import Georeference
from geocbar.place.local_crs import axis_readings, crs_definition, is_local
from geocbar.place.projections import project_points
from geocbar.value.scale import ColorScale

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

__all__ = ["FORMATS", "require_format", "write_csv", "write_geopackage", "write_points"]

#: Geometries of layers that are not points.
_KINDS = {"footprint": "Polygon", "data_area": "MultiPolygon"}


#: Ending of a file of points, and GDAL's name of the format; CSV is written without GDAL.
FORMATS = {".gpkg": "GPKG", ".csv": "CSV", ".geojson": "GeoJSON", ".json": "GeoJSON", ".fgb": "FlatGeobuf"}


def write_points(
    path: str | Path, points: Points, scale: ColorScale | None = None, *, area: BaseGeometry | None = None
) -> None:
    """Write points in the format of the file's ending: GeoPackage, CSV, GeoJSON or FlatGeobuf.

    Fields: value, sigma (if known), count, pixel, line, lon, lat; x, y for the last two where the CRS is local: what
    the figure's axes say. GeoJSON is in longitude and latitude, as its standard wants it.

    Parameters
    ----------
    path : str or Path
        An existing file is replaced.
    points : Points
    scale : ColorScale, optional
        Its colours style the layer ``points`` of a GeoPackage.
    area : Polygon or MultiPolygon, optional
        Where there are data, in the CRS of the points: the layer ``data_area`` of a GeoPackage.

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    InvalidInputError
        For an ending that is not known.
    """
    path = Path(path)
    kind = require_format(path)
    if kind == "CSV":
        write_csv(path, points)
    elif kind == "GPKG":
        layers = {"points": (_points_frame(points), "" if scale is None else point_style(scale))}
        if area is not None:
            layers["data_area"] = (_area_frame(area, points.crs), footprint_style())
        _write(path, layers)
    else:
        _write_plain(path, _points_frame(points), kind, points.crs)


def require_format(path: Path) -> str:
    """The name of the format that a file's ending asks for.

    Raises
    ------
    InvalidInputError
        If it is not known.
    """
    kind = FORMATS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(FORMATS)
        raise InvalidInputError(f"Points cannot be written as {path.name}.", f"Let its name end in one of {known}.")
    return kind


def _write_plain(path: Path, frame: GeoDataFrame, kind: str, crs: str) -> None:
    """One layer without style."""
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        path.unlink(missing_ok=True)
        if kind == "GeoJSON" and not is_local(crs):
            frame = frame.to_crs(_globe(crs))
        frame.to_file(path, driver=kind, engine="pyogrio")
    except (OSError, DataSourceError, DataLayerError) as error:
        raise _unwritten(path, error) from error


def write_geopackage(
    path: str | Path,
    points: Points,
    scale: ColorScale,
    georeference: Georeference,
    outline: NDArray[np.float64],
    facts: Mapping[str, Any] | None = None,
    area: BaseGeometry | None = None,
) -> None:
    """Write the layers ``points``, ``gcps`` and ``footprint``, each with its style.

    Parameters
    ----------
    path : str or Path
        An existing file is replaced.
    points : Points
    scale : ColorScale
    georeference : Georeference
        Its control points are written as read, with dX, dY (fitted minus given, px), and the residual in px and km.
    outline : (n, 2) float array
        Closed ring of the map in the CRS of the points.
    facts : mapping
        Attributes of the footprint, such as the picture's name.
    area : Polygon or MultiPolygon, optional
        Where there are data, in the CRS of the points: the layer ``data_area``.

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    """
    layers = {
        "points": (_points_frame(points), point_style(scale)),
        "gcps": (_gcps_frame(georeference, points.crs), gcp_style()),
        "footprint": (_footprint_frame(outline, points.crs, facts or {}), footprint_style()),
    }
    if area is not None:
        layers["data_area"] = (_area_frame(area, points.crs), footprint_style())
    _write(Path(path), layers)


def write_csv(path: str | Path, points: Points) -> None:
    """Write points as text: lon, lat, value, sigma, count. Sigma stays empty where it is not known.

    In a local CRS the first two are x, y: what the figure's axes say.

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    """
    names, places = _readable_places(points.xy, points.crs)
    # Readings of axes may be of any size, degrees never are.
    digits = "{:.12g}" if is_local(points.crs) else "{:.8f}"
    sigma = [""] * len(points) if points.sigma is None else [f"{s:.6g}" for s in points.sigma]
    lines = [",".join((*names, "value", "sigma", "count"))]
    for place, value, spread, count in zip(places, points.values, sigma, points.count, strict=True):
        lines.append(",".join((*map(digits.format, place), f"{value:.9g}", spread, str(count))))
    try:
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise FileProblemError(
            f"{Path(path).name} cannot be written: {error.strerror}.", "Check the folder and the free space."
        ) from error


def _readable_places(xy: NDArray[np.float64], crs: str) -> tuple[tuple[str, str], NDArray[np.float64]]:
    """Names of the columns and degrees on the CRS's own globe, or what the axes of a figure without one say."""
    if is_local(crs):
        return ("x", "y"), axis_readings(xy, crs)
    return ("lon", "lat"), _lonlat(xy, crs)


def _lonlat(xy: NDArray[np.float64], crs: str) -> NDArray[np.float64]:
    """Degrees on the CRS's own globe."""
    lonlat = project_points(xy, crs, _globe(crs)).copy()
    lonlat[:, 0] = (lonlat[:, 0] + 180) % 360 - 180
    return lonlat


def _globe(crs: str) -> str:
    """WGS 84 for Earth, the body's own system elsewhere."""
    from pyproj import CRS

    geographic = CRS.from_user_input(crs).geodetic_crs
    earth = (
        geographic is not None
        and geographic.ellipsoid is not None
        and 6.3e6 < geographic.ellipsoid.semi_major_metre < 6.45e6
    )
    return "EPSG:4326" if earth or geographic is None else str(geographic.to_wkt())


def _points_frame(points: Points) -> GeoDataFrame:
    import geopandas

    (east, north), places = _readable_places(points.xy, points.crs)
    fields: dict[str, NDArray[Any]] = {"value": points.values}
    if points.sigma is not None:
        fields["sigma"] = points.sigma
    fields |= {
        "count": points.count,
        "pixel": points.pixels[:, 0],
        "line": points.pixels[:, 1],
        east: places[:, 0],
        north: places[:, 1],
    }
    geometry = geopandas.points_from_xy(points.xy[:, 0], points.xy[:, 1])
    return geopandas.GeoDataFrame(fields, geometry=geometry, crs=crs_definition(points.crs))


def _gcps_frame(georeference: Georeference, crs: str) -> GeoDataFrame:
    import geopandas

    gcps = georeference.gcps
    given = axis_readings(gcps.world, gcps.crs)
    fields = {
        "name": list(gcps.names),
        "pixel": gcps.pixels[:, 0],
        "line": gcps.pixels[:, 1],
        "x": given[:, 0],
        "y": given[:, 1],
        "enabled": np.asarray(gcps.enabled),
        "dX": georeference.residuals[:, 0],
        "dY": georeference.residuals[:, 1],
        "residual_px": np.hypot(georeference.residuals[:, 0], georeference.residuals[:, 1]),
        "residual_km": georeference.residuals_km,
        "left_out_px": georeference.left_out,
    }
    xy = project_points(gcps.world, georeference.crs, crs)
    geometry = geopandas.points_from_xy(xy[:, 0], xy[:, 1])
    return geopandas.GeoDataFrame(fields, geometry=geometry, crs=crs_definition(crs))


def _footprint_frame(outline: NDArray[np.float64], crs: str, facts: Mapping[str, Any]) -> GeoDataFrame:
    import geopandas
    from shapely import Polygon

    fields = {key: [value] for key, value in facts.items()}
    return geopandas.GeoDataFrame(fields, geometry=[Polygon(outline)], crs=crs_definition(crs))


def _area_frame(area: BaseGeometry, crs: str) -> GeoDataFrame:
    import geopandas
    from shapely import MultiPolygon, get_parts

    parts = [part for part in get_parts(area) if part.geom_type == "Polygon"]
    return geopandas.GeoDataFrame({"name": ["data"]}, geometry=[MultiPolygon(parts)], crs=crs_definition(crs))


def _write(path: Path, layers: Mapping[str, tuple[GeoDataFrame, str]]) -> None:
    from pyogrio.errors import DataLayerError, DataSourceError

    try:
        path.unlink(missing_ok=True)
        for name, (frame, _) in layers.items():
            # Version 1.2 opens without a warning in the GDAL 3.6 of long-lived systems.
            options = {"dataset_options": {"VERSION": "1.2"}} if not path.exists() else {}
            # An empty layer is one of points, too.
            kind = _KINDS.get(name, "Point")
            frame.to_file(path, layer=name, driver="GPKG", engine="pyogrio", geometry_type=kind, **options)
        _write_styles(path, {name: style for name, (_, style) in layers.items() if style})
        _require_whole(path, {name: len(frame) for name, (frame, _) in layers.items()})
    except (OSError, DataSourceError, DataLayerError, sqlite3.Error) as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: Exception) -> FileProblemError:
    cause = str(error).partition("\n")[0].rstrip(". ")
    return FileProblemError(
        f"{path.name} cannot be written: {cause}.", "Check the folder's permissions and the free space."
    )


def _write_styles(path: Path, styles: Mapping[str, str]) -> None:
    """The table ``layer_styles``, from which QGIS takes the default style of each layer."""
    connection = sqlite3.connect(path)
    try:
        with connection:
            connection.execute(
                "CREATE TABLE layer_styles (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256),"
                " f_table_schema TEXT(256), f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30),"
                " styleQML TEXT, styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),"
                " update_time DATETIME DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')))"
            )
            connection.execute(
                "INSERT INTO gpkg_contents (table_name, data_type, identifier, description)"
                " VALUES ('layer_styles', 'attributes', 'layer_styles', '')"
            )
            for layer, style in styles.items():
                connection.execute(
                    "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
                    " styleName, styleQML, styleSLD, useAsDefault, description, owner)"
                    " VALUES ('', '', ?, 'geom', 'geocbar', ?, '', 1, ?, '')",
                    (layer, style, f"{layer} as drawn by geocbar"),
                )
    finally:
        connection.close()


def _require_whole(path: Path, counts: Mapping[str, int]) -> None:
    """Look at the file again, for on a full disk the spatial index may be left out without a word."""
    connection = sqlite3.connect(path)
    try:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        for layer, count in counts.items():
            for table in (layer, f"rtree_{layer}_geom"):
                stored = table in tables and connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]
                if stored is False or stored != count:
                    raise OSError(f"the table {table} is not complete")
    finally:
        connection.close()

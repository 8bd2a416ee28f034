"""Rasters as xarray datasets and NetCDF files, described as the CF conventions want it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geocbar.errors import FileProblemError, InvalidInputError
from geocbar.grid.raster import Raster
from geocbar.place.local_crs import crs_definition, is_local

if TYPE_CHECKING:
    import xarray

__all__ = ["to_dataset", "write_netcdf"]


def to_dataset(
    raster: Raster,
    *,
    name: str = "value",
    unit: str = "",
    reasons: Mapping[int, str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> xarray.Dataset:
    """A raster as an xarray dataset.

    Parameters
    ----------
    raster : Raster
    name, unit : str
        Of the values: the variable is called after the quantity, which is its ``long_name``.
    reasons : mapping of int to str
        What each reason means.
    tags : mapping of str to str
        Provenance: attributes of the dataset.

    Returns
    -------
    xarray.Dataset
        The values, ``sigma`` and ``reason`` if the raster has them, over ``y`` and ``x`` (``lat`` and ``lon`` in a
        geographic CRS) at the cells' centres, with the CRS as grid mapping ``crs`` [1]_. The axes of a rotated grid are
        ``row`` and ``col``, with the places as two-dimensional coordinates.

    Raises
    ------
    InvalidInputError
        If xarray is not installed.

    References
    ----------
    .. [1] https://cfconventions.org/Data/cf-conventions/cf-conventions-1.11/cf-conventions.html
    """
    try:
        import xarray
    except ImportError:
        raise InvalidInputError(
            "Datasets need xarray, which is not installed.", "Type: pip install 'geocbar[xarray]'"
        ) from None
    dims, coords = _axes(raster)
    variable = re.sub(r"\W+", "_", name).strip("_") or "value"
    variable = variable if not variable[0].isdigit() and variable not in coords else f"_{variable}"
    fields: dict[str, Any] = {}
    about = {"long_name": name, "grid_mapping": "crs"} | ({"units": unit} if unit else {})
    beside = [key for key, field in (("sigma", raster.sigma), ("reason", raster.reason)) if field is not None]
    fields[variable] = (dims, raster.values, about | ({"ancillary_variables": " ".join(beside)} if beside else {}))
    if raster.sigma is not None:
        spread = {"long_name": f"standard deviation of {name}", "grid_mapping": "crs"}
        fields["sigma"] = (dims, raster.sigma, spread | ({"units": unit} if unit else {}))
    if raster.reason is not None:
        known = reasons or {}
        flags = {"flag_values": np.array(list(known), np.int8), "flag_meanings": " ".join(map(_word, known.values()))}
        about = {"long_name": "why a cell has its value, or none", "grid_mapping": "crs"}
        fields["reason"] = (dims, raster.reason.astype(np.int8), about | (flags if known else {}))
    fields["crs"] = ((), np.int32(0), _grid_mapping(raster.crs))
    return xarray.Dataset(fields, coords, {"Conventions": "CF-1.11", **(tags or {})})


def write_netcdf(path: str | Path, dataset: xarray.Dataset) -> None:
    """Write a dataset as NetCDF 3 with 64-bit offsets, which every reader knows.

    Raises
    ------
    FileProblemError
        If the file cannot be written.
    """
    path = Path(path)
    try:
        dataset.to_netcdf(path, format="NETCDF3_64BIT", engine="scipy")
    except OSError as error:
        raise FileProblemError(
            f"{path.name} cannot be written: {error.strerror or error}.", "Check the folder and the free space."
        ) from error


def _axes(raster: Raster) -> tuple[tuple[str, str], dict[str, Any]]:
    """Names of the dimensions, and the coordinates of the cells' centres."""
    from pyproj import CRS

    affine, (rows, cols) = raster.affine, raster.values.shape
    system = None if is_local(raster.crs) else CRS.from_user_input(raster.crs)
    x_name, y_name = ("lon", "lat") if system is not None and system.is_geographic else ("x", "y")
    told = [] if system is None else system.cs_to_cf()
    x_about, y_about = (
        next((dict(said) for said in told if said.get("axis") == axis), {"axis": axis}) for axis in "XY"
    )
    if affine.b == affine.d == 0:
        x = affine.c + affine.a * (np.arange(cols) + 0.5)
        y = affine.f + affine.e * (np.arange(rows) + 0.5)
        return (y_name, x_name), {y_name: (y_name, y, y_about), x_name: (x_name, x, x_about)}
    row, col = np.mgrid[:rows, :cols] + 0.5
    x, y = affine @ (col, row)
    for about in (x_about, y_about):
        about.pop("axis", None)
    return ("row", "col"), {y_name: (("row", "col"), y, y_about), x_name: (("row", "col"), x, x_about)}


def _grid_mapping(crs: str) -> dict[str, Any]:
    from pyproj import CRS

    said = CRS.from_user_input(crs_definition(crs)).to_cf()
    return {key: value for key, value in said.items() if value is not None and not isinstance(value, bool)}


def _word(text: str) -> str:
    return re.sub(r"\W+", "_", text).strip("_")

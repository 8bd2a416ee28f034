"""Sidecars of GDAL, ``NAME.aux.xml``: transform, reference system and control points of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from affine import Affine

from geocbar.errors import FileProblemError
from geocbar.files.sidecar_xml import local_name, read_xml

__all__ = ["PamStatement", "read_pam"]


@dataclass(frozen=True, eq=False)
class PamStatement:
    """What a sidecar says.

    Parameters
    ----------
    crs : str
        WKT or a code; "" if none is named.
    affine : Affine or None
        ``(col, row)`` to ``(x, y)``, from pixel corners.
    points : tuple of (name, col, row, x, y)
        Control points.
    """

    crs: str
    affine: Affine | None
    points: tuple[tuple[str, float, float, float, float], ...]


def read_pam(path: Path) -> PamStatement | None:
    """Read a sidecar.

    Parameters
    ----------
    path : Path
        ``map.jpg.aux.xml``.

    Returns
    -------
    PamStatement or None
        None if there is no such file.

    Raises
    ------
    FileProblemError
        If it is damaged, defines entities, or states numbers that are none.

    References
    ----------
    GDAL, https://gdal.org/drivers/raster/vrt.html (``GeoTransform``, ``SRS``, ``GCPList``).
    """
    if not path.is_file():
        return None
    root = read_xml(path)
    srs, transform, gcps = (root.find(name) for name in ("SRS", "GeoTransform", "GCPList"))
    affine = None
    if transform is not None and (transform.text or "").strip():
        c, a, b, f, d, e = _numbers(path, (transform.text or "").split(","), 6)
        affine = Affine(a, b, c, d, e, f)
        if _swapped(srs):
            affine = Affine(d, e, f, a, b, c)
    points = []
    for i, gcp in enumerate([] if gcps is None else gcps.findall("GCP")):
        col, row, x, y = _numbers(path, [gcp.get(key, "") for key in ("Pixel", "Line", "X", "Y")], 4)
        points.append((gcp.get("Id") or str(i + 1), col, row, *((y, x) if _swapped(gcps, "Projection") else (x, y))))
    crs = (srs.text or "").strip() if srs is not None else ""
    if affine is None and gcps is not None and points:
        crs = (gcps.get("Projection") or "").strip() or crs
    if not crs:
        # ArcGIS writes its own element.
        found = (element.text or "" for element in root.iter() if local_name(element) == "WKT")
        crs = next(found, "").strip()
    identity = affine is not None and affine.almost_equals(Affine.identity(), 1e-15)
    return PamStatement(crs, None if identity else affine, tuple(points))


def _numbers(path: Path, words: list[str], count: int) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise FileProblemError(
            f"{path.name} should state {count} numbers where it says {', '.join(words)[:60]!r}.",
            "Correct it or move it away, or give control points: --gcps FILE",
        )
    return numbers


def _swapped(element: ElementTree.Element | None, attribute: str = "") -> bool:
    """Whether coordinates stand as latitude, longitude (or northing, easting): the order of the reference system."""
    if element is None or not element.get("dataAxisToSRSAxisMapping", "").startswith("1,2"):
        return False
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    try:
        axes = CRS.from_user_input((element.get(attribute) if attribute else element.text) or "").axis_info
    except CRSError:
        return False  # who asks for the system will hear that it is not known
    return bool(axes) and axes[0].direction.lower() in ("north", "south") and axes[0].direction != axes[1].direction

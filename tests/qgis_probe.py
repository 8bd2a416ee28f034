"""Run by QGIS's own Python, not by that of the tests: open layers as a person would, print what QGIS sees as JSON.

Usage: python3 qgis_probe.py REQUEST.json, where the request is
{"rasters": [{"path", "samples": [[x, y], ...], "picture"}], "vectors": [{"path", "layer", "picture"}],
"reasons": [{"path", "samples"}]}.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

#: Pixels of a rendered picture for one cell of a raster.
ZOOM = 4


def place(layer: Any) -> dict[str, Any]:
    """What raster and vector layers have in common."""
    extent = layer.extent()
    return {
        "valid": layer.isValid(),
        "crs": layer.crs().authid(),
        "proj": layer.crs().toProj(),
        "extent": [extent.xMinimum(), extent.yMinimum(), extent.xMaximum(), extent.yMaximum()],
    }


def render(layer: Any, extent: Any, size: tuple[int, int], picture: str = "") -> Any:
    """The layer drawn as on the canvas, without antialiasing."""
    from qgis.core import QgsMapRendererSequentialJob, QgsMapSettings  # type: ignore[import-not-found]
    from qgis.PyQt.QtCore import QSize  # type: ignore[import-not-found]
    from qgis.PyQt.QtGui import QColor  # type: ignore[import-not-found]

    settings = QgsMapSettings()
    settings.setLayers([layer])
    settings.setBackgroundColor(QColor(255, 255, 255))
    settings.setFlag(QgsMapSettings.Antialiasing, False)
    settings.setDestinationCrs(layer.crs())
    settings.setOutputSize(QSize(*size))
    settings.setExtent(extent)
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    image = job.renderedImage()
    if picture:
        image.save(picture)
    return image


def drawn_at(layer: Any, x: float, y: float) -> list[int]:
    """The colour on the canvas at a place, zoomed in so far that its cell fills the view."""
    from qgis.core import QgsRectangle

    half = min(layer.rasterUnitsPerPixelX(), layer.rasterUnitsPerPixelY()) / 8
    image = render(layer, QgsRectangle(x - half, y - half, x + half, y + half), (9, 9))
    color = image.pixelColor(4, 4)
    return [color.red(), color.green(), color.blue()]


def probe_raster(request: dict[str, Any]) -> dict[str, Any]:
    """A GeoTIFF; its style comes from the .qml beside it."""
    from qgis.core import QgsPointXY, QgsRasterBandStats, QgsRasterLayer

    layer = QgsRasterLayer(request["path"], "raster")
    provider = layer.dataProvider()
    statistics = provider.bandStatistics(1, QgsRasterBandStats.All, layer.extent(), 0)
    styled = layer.loadDefaultStyle()[1]
    function = layer.renderer().shader().rasterShaderFunction()
    size = (ZOOM * layer.width(), ZOOM * layer.height())
    if request.get("picture"):
        render(layer, layer.extent(), size, request["picture"])
    samples = []
    for x, y in request["samples"]:
        value, known = provider.sample(QgsPointXY(x, y), 1)
        shown = function.shade(value) if known else (False,)
        samples.append(
            {
                "value": value if known else None,
                "shaded": list(shown[1:4]) if shown[0] else None,
                "drawn": drawn_at(layer, x, y),
            }
        )
    return {
        **place(layer),
        "size": [layer.width(), layer.height()],
        "bands": [layer.bandName(i + 1) for i in range(layer.bandCount())],
        "minimum": statistics.minimumValue,
        "maximum": statistics.maximumValue,
        "default_style": styled,
        "renderer": layer.renderer().type(),
        "interpolation": int(function.colorRampType()),
        "items": [[item.value, item.color.name(), item.label] for item in function.colorRampItemList()],
        "samples": samples,
    }


def probe_reasons(request: dict[str, Any]) -> dict[str, Any]:
    """A GeoTIFF of bytes with a colour table; its style, with the names, comes from the .qml beside it."""
    from qgis.core import QgsPointXY, QgsRasterLayer

    layer = QgsRasterLayer(request["path"], "reasons")
    styled = layer.loadDefaultStyle()[1]
    renderer = layer.renderer()
    return {
        **place(layer),
        "default_style": styled,
        "renderer": renderer.type(),
        "classes": [[c.value, c.color.name(), c.label] for c in renderer.classes()],
        "samples": [
            {"value": layer.dataProvider().sample(QgsPointXY(x, y), 1)[0], "drawn": drawn_at(layer, x, y)}
            for x, y in request["samples"]
        ],
    }


def probe_vector(request: dict[str, Any]) -> dict[str, Any]:
    """A layer of a GeoPackage; its style comes from the table layer_styles."""
    from qgis.core import QgsRectangle, QgsVectorLayer

    layer = QgsVectorLayer(f"{request['path']}|layername={request['layer']}", request["layer"], "ogr")
    renderer = layer.renderer()
    out = {
        **place(layer),
        "features": layer.featureCount(),
        "geometry": int(layer.geometryType()),
        "fields": [field.name() for field in layer.fields()],
        "renderer": renderer.type(),
        "labels": layer.labelsEnabled(),
    }
    if renderer.type() == "graduatedSymbol":
        out["ranges"] = [
            [r.lowerValue(), r.upperValue(), r.label(), list(r.symbol().color().getRgb()[:3])]
            for r in renderer.ranges()
        ]
        out["attribute"] = renderer.classAttribute()
    if request.get("picture"):
        extent = QgsRectangle(layer.extent())
        extent.scale(1.1)
        render(layer, extent, (600, 450), request["picture"])
    return out


def main() -> None:
    """Answer the request and leave without QGIS's teardown, which may crash without a screen."""
    from qgis.core import QgsApplication

    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    application = QgsApplication([], False)
    application.initQgis()
    answer = {
        "rasters": [probe_raster(raster) for raster in request["rasters"]],
        "vectors": [probe_vector(vector) for vector in request["vectors"]],
        "reasons": [probe_reasons(raster) for raster in request["reasons"]],
    }
    print("ANSWER " + json.dumps(answer))
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

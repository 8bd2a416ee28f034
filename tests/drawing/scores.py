"""How near the values read from a scene come to its truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .scenes import BACKGROUND, DATA, OVERLAY, Scene

__all__ = ["score"]


def _to_scale(values: NDArray[np.floating], scene: Scene) -> NDArray[np.float64]:
    """Values as a percentage of the bar's range, logarithmically for a log bar; NaN stays NaN."""
    low, high = scene.vmin, scene.vmax
    z = np.asarray(values, np.float64)
    if scene.norm == "log":
        with np.errstate(invalid="ignore", divide="ignore"):
            z = np.log(z)
        low, high = float(np.log(low)), float(np.log(high))
    return 100 * (z - low) / (high - low)


def _class_centres(truth: NDArray[np.float32], scene: Scene) -> NDArray[np.float64]:
    """On the 0..100 scale, the middle of the class every true value lies in."""
    assert scene.class_edges is not None
    edges = _to_scale(scene.class_edges, scene)
    index = np.clip(np.digitize(truth, scene.class_edges) - 1, 0, len(edges) - 2)
    return np.where(np.isfinite(truth), (edges[index] + edges[index + 1]) / 2, np.nan)


def _share(mask: NDArray[np.bool_]) -> float:
    """Percentage of True; NaN of nothing."""
    return float(100 * mask.mean()) if mask.size else float("nan")


def score(
    scene: Scene,
    values: NDArray[np.floating],
    sigma: NDArray[np.floating] | None = None,
    given: NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    """Compare values read from a scene with its truth.

    Errors are in percent of the bar's range (of the logarithmic range for a log bar). For classes the reference
    is the middle of the class the true value lies in. Data beyond the ends of the bar have no value to be read:
    they count only in ``beyond_valued_percent``, those given a value more than 5 % inside the end they are beyond.

    Parameters
    ----------
    values : (h, w) float
        What was read; NaN where nothing was.
    sigma : (h, w) float, optional
        Stated uncertainty, in the unit of the values (for a log bar it is compared with the error in that unit).
    given : (h, w) bool, optional
        Pixels whose value counts as given; all finite ones if None.

    Returns
    -------
    dict
        ``rmse_percent``, ``bias_percent``, ``median_percent``, ``p99``, ``max`` of the error over kept pure data
        pixels; ``kept_percent`` of the pure data pixels; ``off_percent``, the kept ones more than 5 % off;
        ``overlay_valued_percent`` and ``overlay_off_percent`` of overlay and background pixels inside the frame
        (class boundaries apart) that have a value at all, and one more than 5 % off the field underneath, where
        any value over background is off; ``background_valued_percent``; ``edge_valued_percent`` for antialiased
        class boundaries; with `sigma`, ``within1_percent`` and ``within2_percent`` of the kept pixels. A share of
        no pixels is NaN.

    Raises
    ------
    ValueError
        If an array has not the shape of the picture.
    """
    for array in (values, sigma, given):
        if array is not None and array.shape != scene.kind.shape:
            raise ValueError(f"Shape {array.shape} is not that of the picture, {scene.kind.shape}.")
    has = np.isfinite(values) if given is None else np.isfinite(values) & given
    read = _to_scale(values, scene)
    reference = _to_scale(scene.under, scene)
    if scene.class_edges is not None:
        reference = np.where(scene.in_range, _class_centres(scene.under, scene), reference)
    error = read - reference
    pure = (scene.kind == DATA) & scene.in_range
    kept = pure & has
    e = error[kept]
    size = np.abs(e)
    none = e.size == 0
    edge = np.zeros(pure.shape, bool) if scene.edge is None else scene.edge
    over = ((scene.kind == OVERLAY) & ~edge) | (scene.kind == BACKGROUND)
    clipped = np.clip(reference, 0, 100)
    away = np.abs(read - clipped) > 5
    beyond = (scene.kind == DATA) & ~scene.in_range
    result = {
        "rmse_percent": float("nan") if none else float(np.sqrt((e**2).mean())),
        "bias_percent": float("nan") if none else float(e.mean()),
        "median_percent": float("nan") if none else float(np.median(size)),
        "p99": float("nan") if none else float(np.percentile(size, 99)),
        "max": float("nan") if none else float(size.max()),
        "kept_percent": _share(has[pure]),
        "off_percent": _share(size > 5),
        "overlay_valued_percent": _share(has[over]),
        "overlay_off_percent": _share((has & (away | ~np.isfinite(reference)))[over]),
        "background_valued_percent": _share(has[scene.kind == BACKGROUND]),
        "edge_valued_percent": _share(has[edge]),
        "beyond_valued_percent": _share((has & away)[beyond]),
    }
    if sigma is not None:
        off = np.abs(np.asarray(values, float) - _from_scale(reference, scene))[kept]
        result["within1_percent"] = _share(off <= sigma[kept])
        result["within2_percent"] = _share(off <= 2 * sigma[kept])
    return result


def _from_scale(percent: NDArray[np.float64], scene: Scene) -> NDArray[np.float64]:
    """The inverse of `_to_scale`."""
    if scene.norm == "log":
        return scene.vmin * (scene.vmax / scene.vmin) ** (percent / 100)
    return scene.vmin + (scene.vmax - scene.vmin) * percent / 100

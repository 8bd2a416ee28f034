"""Pack Natural Earth's land for geocbar: ``python docs/pack_coastlines.py land-50m.json land-10m.json``.

The TopoJSON files are those of the npm package ``world-atlas`` (``npm pack world-atlas@2.0.2``). What is written,
``geocbar/files/coastlines/land-<resolution>.npz``, is described beside it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FOLDER = Path(__file__).parents[1] / "geocbar" / "files" / "coastlines"


def rings_of(topology: dict[str, Any]) -> list[NDArray[np.int64]]:
    """Every ring of land in steps of the topology's grid."""
    arcs = [np.cumsum(np.array(arc), axis=0) for arc in topology["arcs"]]
    rings = []
    for land in topology["objects"]["land"]["geometries"]:
        for polygon in land["arcs"]:
            for ring in polygon:
                parts = [arcs[i] if i >= 0 else arcs[~i][::-1] for i in ring]
                rings.append(np.concatenate([parts[0], *(part[1:] for part in parts[1:])]))
    return rings


def pack(path: Path) -> None:
    """Write one resolution."""
    topology = json.loads(path.read_text(encoding="utf-8"))
    scale, origin = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    around = round(360 / scale[0])
    # A ring along the pole itself is an artefact of cutting at the date line.
    rings = [ring for ring in rings_of(topology) if np.ptp(ring[:, 1]) > 0]
    steps = []
    for ring in rings:
        step = np.diff(ring, axis=0)
        step[:, 0] -= around * np.rint(step[:, 0] / around).astype(np.int64)  # the short way around
        steps.append(step)
    every = np.concatenate(steps)
    assert np.abs(every).max() < 2**15
    target = FOLDER / f"{path.stem}.npz"
    np.savez_compressed(
        target,
        scale=scale,
        origin=origin,
        starts=np.array([ring[0] for ring in rings], np.int32),
        counts=np.array([len(ring) for ring in rings], np.int32),
        lon_steps=every[:, 0].astype(np.int16),
        lat_steps=every[:, 1].astype(np.int16),
    )
    print(f"{target.name}: {len(rings)} rings, {len(every)} steps, {target.stat().st_size} bytes")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        pack(Path(argument))

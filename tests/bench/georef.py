"""How near an inferred projection comes to the truth over the whole map, beside polynomials and splines."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyproj import Proj

from geocbar.errors import InvalidInputError
from geocbar.figure.layout import PixelBox
from geocbar.place.gcps import GroundControlPoints
from geocbar.place.georeference import Georeference, fit_georeference
from geocbar.place.models import fit_flat
from geocbar.place.surfaces import PAPER

__all__ = ["MAPS", "OUTSIDE", "MapType", "Trial", "draw_trial", "measure", "run_trial", "summary"]

Row = dict[str, Any]


@dataclass(frozen=True)
class MapType:
    """A map whose projection is known: PROJ text, lon and lat range, stretch of the paper (y over x)."""

    name: str
    proj: str
    lon: tuple[float, float]
    lat: tuple[float, float]
    stretch: float = 1.0
    family: str = ""


#: Rivals without a projection.
BASELINES = ("poly1", "poly2", "poly3", "projective", "tps")

#: What two maps may differ by, in pixels, and still be the same.
EQUIVALENT_PX = 0.3


def _map(
    name: str, family: str, proj: str, lon: tuple[float, float], lat: tuple[float, float], stretch: float = 1.0
) -> MapType:
    return MapType(name, f"+proj={proj}", lon, lat, stretch, family)


#: World and regional maps of every class of projection.
MAPS: tuple[MapType, ...] = (
    _map("plate carrée, world", "eqc", "eqc +ellps=WGS84", (-180, 180), (-88, 88), 1.2),
    _map("Mercator, world", "merc", "merc +ellps=WGS84", (-180, 180), (-75, 80)),
    _map("web Mercator, region", "merc", "merc +R=6378137", (-20, 40), (30, 70)),
    _map("Miller, world", "mill", "mill +R=6371000 +lon_0=30", (-150, 210), (-85, 85)),
    _map("Robinson, world", "robin", "robin +lon_0=-160 +ellps=WGS84", (-339, 19), (-85, 85)),
    _map("Mollweide, world", "moll", "moll +lon_0=11 +ellps=WGS84", (-168, 190), (-85, 85)),
    _map("Winkel tripel, world", "wintri", "wintri +ellps=WGS84", (-179, 179), (-85, 85)),
    _map("Equal Earth, world", "eqearth", "eqearth +lon_0=150 +ellps=WGS84", (-28, 328), (-85, 85)),
    _map("Lambert conformal, Europe", "lcc", "lcc +lat_1=43 +lat_2=62 +lon_0=10 +ellps=WGS84", (-20, 45), (33, 72)),
    _map("Albers, USA", "aea", "aea +lat_1=29.5 +lat_2=45.5 +lat_0=23 +lon_0=-96 +ellps=WGS84", (-124, -68), (24, 50)),
    _map("polar stereographic", "stere_north", "stere +lat_0=90 +lon_0=-45 +ellps=WGS84", (-180, 175), (58, 88)),
    _map("azimuthal equal-area, Europe", "laea", "laea +lat_0=52 +lon_0=10 +ellps=WGS84", (-20, 45), (33, 72)),
    _map("UTM 33, region", "tmerc", "utm +zone=33 +ellps=WGS84", (11, 19), (44, 50)),
    _map("orthographic, hemisphere", "ortho", "ortho +lat_0=20 +lon_0=-60 +R=6371000", (-110, -10), (-30, 65)),
)

#: Families no candidate stands for.
OUTSIDE: tuple[MapType, ...] = (
    _map("Nicolosi globular", "", "nicol +R=6371000", (-88, 88), (-85, 85)),
    _map("American polyconic, modified", "", "imw_p +lat_1=40 +lat_2=60 +lon_0=10 +ellps=WGS84", (-20, 45), (33, 72)),
    _map("two-point equidistant", "", "tpeqd +lat_1=60 +lon_1=-10 +lat_2=40 +lon_2=50 +R=6371000", (-20, 60), (25, 72)),
    _map("Lagrange", "", "lagrng +W=2 +R=6371000", (-150, 150), (-75, 75)),
)

SIZE = 1600.0

#: Widest margins of the picture, in parts of the map's longer side: left, top, right (with a colour bar), bottom.
MARGINS = (0.12, 0.12, 0.35, 0.12)

#: Places further off than this, in pixels, lie on the wrong side of the map.
OTHER_SIDE_PX = 300.0


@dataclass(frozen=True, eq=False)
class Trial:
    """Control points of a map with noise, in a picture with margins; the truth on a lattice, weighted by area."""

    gcps: GroundControlPoints
    world: NDArray[np.float64]
    pixels: NDArray[np.float64]
    weights: NDArray[np.float64]
    size: tuple[int, int]
    outlier: int | None
    frame: PixelBox

    def rms(self, predicted: NDArray[np.float64]) -> float:
        """Root mean square distance in pixels over the whole map."""
        miss = ((predicted - self.pixels) ** 2).sum(axis=1)
        if not np.isfinite(miss).all():
            return (
                float("inf")
                if np.isnan(miss).mean() > 0.02
                else float(np.sqrt(np.nansum(self.weights * miss) / self.weights[np.isfinite(miss)].sum()))
            )
        return float(np.sqrt((self.weights * miss).sum()))


def truth_of(
    kind: MapType, bend: float = 0.0
) -> tuple[Callable[[NDArray[np.float64]], NDArray[np.float64]], tuple[float, float]]:
    """World to pixel of a map, 1600 px along its longer side, and its width and height."""
    proj = Proj(kind.proj + " +over")
    lon, lat = (g.ravel() for g in np.meshgrid(np.linspace(*kind.lon, 61), np.linspace(*kind.lat, 41)))
    x, y = np.asarray(proj(lon, lat)) * [[1], [kind.stretch]]
    scale = SIZE / max(np.ptp(x), np.ptp(y))

    def to_pixel(world: NDArray[np.float64]) -> NDArray[np.float64]:
        px, py = np.asarray(proj(world[:, 0], world[:, 1])) * [[1], [kind.stretch]]
        pixels = np.stack([(px - x.min()) * scale, (y.max() - py) * scale], axis=1)
        u, v = pixels[:, 0] / SIZE - 0.5, pixels[:, 1] / SIZE - 0.3
        paper = np.stack([np.sin(2.2 * u + 1.5 * v) + 1.2 * u * v, np.cos(2 * v - u) - 1.4 * u * u], axis=1)
        return np.asarray(pixels + bend * paper)

    return to_pixel, (float(np.ptp(x) * scale), float(np.ptp(y) * scale))


def _mesh(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([g.ravel() for g in np.meshgrid(x, y)], axis=1)


def draw_trial(
    kind: MapType, count: int, seed: int, noise: float = 0.7, outlier: float = 0.0, bend: float = 0.0
) -> Trial:
    """Control points on a jittered lattice, at half degrees as read from a graticule."""
    rng = np.random.default_rng([seed, *kind.name.encode()])
    on_paper, extent = truth_of(kind, bend)
    left, top, right, bottom = np.floor(rng.uniform(0.02, MARGINS) * SIZE)

    def to_pixel(world: NDArray[np.float64]) -> NDArray[np.float64]:
        return on_paper(world) + np.array([left, top])

    size = int(left + extent[0] + right), int(top + extent[1] + bottom)
    frame = PixelBox(left, top, left + extent[0], top + extent[1])
    low, high = np.array([kind.lon[0], kind.lat[0]]), np.array([kind.lon[1], kind.lat[1]])
    rows = max(2, round(float(np.sqrt(count * 0.75))))
    columns = int(np.ceil(count / rows))
    lattice = _mesh(np.linspace(0.06, 0.94, columns), np.linspace(0.06, 0.94, rows))
    share = lattice[rng.permutation(columns * rows)[:count]] + rng.uniform(-0.06, 0.06, (count, 2))
    world = np.clip(np.round(2 * (low + share * (high - low))) / 2, low, high)
    pixels = to_pixel(world) + rng.normal(0, noise, (count, 2))
    which = None
    if outlier:
        which = int(rng.integers(count))
        turn = rng.uniform(0, 2 * np.pi)
        pixels[which] += outlier * np.array([np.cos(turn), np.sin(turn)])
    dense = _mesh(np.linspace(*kind.lon, 181)[1:-1], np.linspace(*kind.lat, 41)[1:-1])
    truth = to_pixel(dense)
    right = to_pixel(dense + np.array([1e-3, 0])) - truth
    up = to_pixel(dense + np.array([0, 1e-3])) - truth
    area = np.abs(right[:, 0] * up[:, 1] - right[:, 1] * up[:, 0])
    given = world.copy()
    given[:, 0] = np.where(np.abs(given[:, 0]) > 180, (given[:, 0] + 180) % 360 - 180, given[:, 0])
    return Trial(GroundControlPoints(pixels, given), dense, truth, area / area.sum(), size, which, frame)


def run_trial(
    kind: MapType, count: int, seed: int, outlier: float = 0.0, bend: float = 0.0, framed: bool = True
) -> Row:
    """One map: RMS in pixels of the inferred georeference and of polynomials and splines, flags, time.

    `framed` is whether the map's frame is known, as it is when a figure is digitized.
    """
    trial = draw_trial(kind, count, seed, outlier=outlier, bend=bend)
    start = time.process_time()
    found = fit_georeference(trial.gcps, size=trial.size, frame=trial.frame if framed else None)
    seconds = time.process_time() - start
    row: Row = {"map": kind.name, "seed": seed, "seconds": seconds, "model": found.sentence, "true": kind.family}
    predicted = found.to_pixel(trial.world)
    row["rms"] = trial.rms(predicted)
    row["cut wrongly"] = bool((np.hypot(*(predicted - trial.pixels).T) > OTHER_SIDE_PX).any())
    row["cut open"] = found.cut is not None and found.cut.is_open
    plain = found.bend is None or found.bend.model == PAPER
    row["family"] = found.fit.family.key if found.fit is not None and plain else ""
    row["flagged"] = [int(name) - 1 for name in found.rejected]
    row["outlier"] = trial.outlier
    row["warned"] = bool(found.notes)
    sigma = found.position_sigma(trial.pixels[:: len(trial.pixels) // 60])
    row["sigma"] = float(np.sqrt(np.nanmean(sigma**2)))
    clean = draw_trial(kind, 80, seed, noise=0.0, bend=bend)
    row["same"] = row["family"] == kind.family or _equivalent(clean, found)
    world = trial.gcps.world.copy()
    middle = (kind.lon[0] + kind.lon[1]) / 2
    world[:, 0] -= 360 * np.round((world[:, 0] - middle) / 360 - 1e-9)
    for model in BASELINES:
        try:
            transform, _ = fit_flat(model, world, trial.gcps.pixels, np.ones(count))
            row[model] = trial.rms(transform.to_pixel(trial.world))
        except InvalidInputError:
            row[model] = float("inf")
    return row


def _equivalent(clean: Trial, found: Georeference) -> bool:
    """Whether the inferred projection, fitted to points without noise, is the true map to within 0.3 px."""
    if found.projection is None:
        return False
    again = fit_georeference(clean.gcps, f"projection:{found.projection}", keep_all=True)
    return clean.rms(again.transform.to_pixel(clean.world)) < EQUIVALENT_PX


def measure(
    kinds: Iterable[MapType] = MAPS,
    count: int = 12,
    seeds: Iterable[int] = range(500, 506),
    outlier: float = 0.0,
    bend: float = 0.0,
    workers: int = 1,
    framed: bool = True,
) -> list[Row]:
    """Rows of :func:`run_trial` for each map and seed."""
    jobs = [(kind, seed) for kind in kinds for seed in seeds]
    task = partial(_job, count=count, outlier=outlier, bend=bend, framed=framed)
    if workers == 1:
        return [task(job) for job in jobs]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(task, jobs))


def _job(job: tuple[MapType, int], **options: Any) -> Row:
    return run_trial(job[0], options.pop("count"), job[1], **options)


def summary(rows: list[Row]) -> Row:
    """Median, worst, and how it compares with the best polynomial or spline, in one row."""
    rms = np.array([row["rms"] for row in rows])
    best = np.array([min(row[model] for model in BASELINES) for row in rows])
    hits = [row["outlier"] in row["flagged"] for row in rows if row["outlier"] is not None]
    false = sum(len(set(row["flagged"]) - {row["outlier"]}) for row in rows)
    return {
        "maps": len(rows),
        "median": float(np.median(rms)),
        "worst": float(rms.max()),
        "worst excess": float((rms - best).max()),
        "median ratio": float(np.median(rms / best)),
        "worst ratio": float((rms / best).max()),
        "same family %": 100 * float(np.mean([row["same"] for row in rows])),
        "cut wrongly": sum(row["cut wrongly"] for row in rows),
        "unsaid": sum(row["cut wrongly"] and not row["cut open"] for row in rows),
        "flagged": f"{sum(hits)} of {len(hits)}",
        "false flags": false,
        "sigma / rms": float(np.median([row["sigma"] / row["rms"] for row in rows])),
        "seconds": float(np.mean([row["seconds"] for row in rows])),
        "longest": float(max(row["seconds"] for row in rows)),
    }


SETTINGS: dict[str, dict[str, Any]] = {
    "12 points": {},
    "6 points": {"count": 6},
    "6 points, frame not known": {"count": 6, "framed": False},
    "24 points": {"count": 24},
    "12 points, one 25 px off": {"outlier": 25.0},
    "16 points, families outside the list": {"kinds": OUTSIDE, "count": 16},
    "16 points, paper bent by 4 px": {"count": 16, "bend": 4.0},
}


def main() -> None:
    """Print the tables."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, options in SETTINGS.items():
            rows = measure(workers=2, **options)
            print(f"## {name}")
            for row in rows:
                others = " ".join(f"{row[model]:.2f}" for model in BASELINES)
                print(
                    f"{row['map']:28s} {row['seed']} {row['rms']:6.2f} | {others} | {row['model'][:90]}", row["flagged"]
                )
            print(summary(rows), flush=True)


if __name__ == "__main__":
    main()

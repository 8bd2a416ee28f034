"""Which relief shading was a map drawn with? The likelihood of its calm pixels under each way of mixing light in."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from geocbar.value.color import RGB, pack_colors
from geocbar.value.projection import project_colors
from geocbar.value.scale import ColorScale
from geocbar.value.shading import SHADINGS, sample_surface, shading_model

__all__ = ["ShadingChoice", "close_rivals", "hidden_shading", "maybe_shaded", "recognize_shading"]

#: A map is not plain if less than this share of its calm pixels has colours of the scale, and some shading explains
#: them better by this much (mean log-likelihood).
HIDDEN_EXPLAINED, HIDDEN_GAP = 0.35, 2.5

#: A map is taken for plain with a warning if less than this share of its calm pixels has colours of the scale.
DOUBTFUL_EXPLAINED = 0.6

#: Models whose mean log-likelihoods differ by less than this fit alike.
CLOSE = 0.6

#: A shading is believed when it beats the unshaded scale by this log-likelihood per pixel ...
MARGIN, LOSSY_MARGIN = 1.5, 2.1
#: ... explains this share of the calm pixels, ...
MIN_EXPLAINED = 0.8
#: ... and beats the next model by this much.
RUNNER_UP_MARGIN = 0.1

#: Or its values, for most calm pixels, differ by less than this share of the scale from those of the next one.
MAX_DISAGREEMENT = 0.02

#: "Most": all but this share.
SAME_VALUES = 0.3

#: With this share of calm pixels on the scale's own colours nothing else is looked at.
PLAIN_SHARE = 0.75

#: An opacity is known when one that is 5 % off misfits by this much more (mean of squares over twice the variance).
MIN_RISE = 0.02

#: Recognized, but too many values share a colour to take the light out.
NOT_UNDONE = ("hsv",)

#: On a lossless map this share of pixels has the very colours of the scale, however dense the lines over it are.
ON_SHARE = 0.25

_DRAWN = 24_000
_SAMPLES = 3000
_VOXEL = 8
_NOISE_SHARE = 0.07
_ALPHAS = np.arange(0.3, 0.96, 0.05)
_UNITS, _LIGHTS = 128, 40
_FEWEST = 50
_BINS = 16

# Where two models make the same colours, the more common one is meant.
_PRIOR = {"none": 0.2, "multiply": 0.15, "gmt": 0.15, "hsv": -0.3, "overlay": -0.1, "alpha-grey": -0.1}


@dataclass(frozen=True)
class ShadingChoice:
    """What a map seems to be shaded with.

    Parameters
    ----------
    model : str
        A name in :data:`geocbar.value.shading.SHADINGS`.
    scores : dict of str to float
        Mean log-likelihood of a calm pixel's colour under each model that was looked at.
    runner_up : str
        The second best model; empty if only one was looked at.
    alpha : float
        Opacity of the map; 1 unless the model is a transparency.
    explained : float
        Share of the calm pixels that lie on the model's colours.
    confident : bool
        False: the map is not plainly drawn, but how it was drawn is not certain enough to undo it.
    sentence : str
        The same in words.
    """

    model: str
    scores: dict[str, float]
    runner_up: str
    alpha: float
    explained: float
    confident: bool
    sentence: str


def recognize_shading(
    pixels: NDArray[np.uint8], scale: ColorScale, mask: NDArray[np.bool_], *, lossy: bool, seed: int = 0
) -> ShadingChoice:
    """Tell a shaded or transparent map from a plain one, and by which model it was drawn.

    A few thousand calm pixels are looked at, however large the picture. A model spreads its likelihood evenly over
    the colours it can make with the intensities found, so that one which can make every colour explains none well.

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
        The map, without its margins.
    scale : ColorScale
        As read from the bar, which plotters do not shade.
    mask : (h, w) bool array
        Pixels that may be data: not known to be paper, land fill or holes.
    lossy : bool
        The picture went through JPEG.
    seed : int
        Of the random choice of pixels.

    Returns
    -------
    ShadingChoice
        Model ``"none"`` unless another one is clearly better. On a scale that runs along the way shading changes
        colours (greys; one hue fading to white) shading cannot be seen, and the answer is ``"none"``.
    """
    rng = np.random.default_rng(seed)
    colors, weights = _calm_colors(pixels, mask, lossy, rng)
    if len(colors) < _FEWEST:
        return _plain({}, 0.0, f"Only {len(colors)} calm pixels: taken as not shaded.")
    reach = 10.0 if lossy else 3.0
    share = float(weights[project_colors(colors, scale, RGB)[1] < reach].sum())
    if share >= PLAIN_SHARE:
        return _plain({}, share, f"Not shaded: {share:.0%} of the calm pixels have colours of the scale.")
    noise = 3.0 if lossy else 1.5
    fits = {name: _fit(colors, weights, scale, name, noise) for name in SHADINGS}
    if lossy:
        fits = _sharpened(fits, colors, weights, scale)
    choice = _choose(fits, weights, LOSSY_MARGIN if lossy else MARGIN)
    if shading_model(choice.model).has_light and not lossy and _on_the_line(pixels, mask, scale, rng):
        plain = "Not shaded: the pixels between lines and labels have the very colours of the scale."
        return _plain(choice.scores, fits["none"].explained, plain)
    return choice


def hidden_shading(choice: ShadingChoice) -> str:
    """Why a map that was taken for plain cannot be: a sentence, or nothing.

    Few of its calm pixels have colours of the scale, and shaded colours explain them far better; which model they are
    of was not certain enough to choose it.
    """
    rivals = {name: score for name, score in choice.scores.items() if name != "none"}
    if choice.model != "none" or not rivals or choice.explained >= HIDDEN_EXPLAINED:
        return ""
    best = max(rivals, key=lambda name: rivals[name])
    if rivals[best] - choice.scores["none"] < HIDDEN_GAP:
        return ""
    alike = sorted((name for name in rivals if rivals[best] - rivals[name] < CLOSE), key=lambda name: -rivals[name])
    return (
        f"The map seems to be shaded or transparent, for only {choice.explained:.0%} of its calm pixels have colours of"
        f" the scale, but it cannot be told how: {', '.join(alike)} fit{'s' if len(alike) == 1 else ''} best."
    )


def maybe_shaded(choice: ShadingChoice) -> str:
    """What to look out for on a map that was taken for plain with little evidence: a sentence, or nothing."""
    if choice.model != "none" or choice.explained >= DOUBTFUL_EXPLAINED or len(choice.scores) < 2:
        return ""
    return (
        f"Only {choice.explained:.0%} of the map's calm pixels have colours of the scale. If the map is shaded or"
        " transparent values are off: say how, --shading multiply|gmt|soft|overlay."
    )


def close_rivals(choice: ShadingChoice) -> str:
    """Which other models fit a shaded map nearly as well as the chosen one: a sentence, or nothing."""
    if choice.model == "none" or choice.model not in choice.scores:
        return ""
    own = choice.scores[choice.model]
    alike = [
        name for name, score in choice.scores.items() if name not in ("none", choice.model) and own - score < CLOSE
    ]
    if not alike:
        return ""
    return (
        f"Shading by {' or '.join(alike)} fits nearly as well as {choice.model}, and would give other values: compare"
        " with --shading."
    )


def _on_the_line(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], scale: ColorScale, rng: np.random.Generator
) -> bool:
    """Whether many pixels have the very colours of the scale and few nearly those: dense lines over a plain map."""
    rows, cols = rng.integers(0, mask.shape[0], _SAMPLES), rng.integers(0, mask.shape[1], _SAMPLES)
    inside = mask[rows, cols]
    away = project_colors(pixels[rows[inside], cols[inside]], scale, RGB)[1]
    on, beside = np.mean(away < 2.5), np.mean((away >= 2.5) & (away < 10))
    return bool(on >= ON_SHARE and beside < 0.5 * on)


def _sharpened(
    fits: dict[str, _Fit], colors: NDArray[np.uint8], weights: NDArray[np.float64], scale: ColorScale
) -> dict[str, _Fit]:
    """The best models rated again with the noise they leave: light JPEG compression tells more models apart."""
    best = sorted(fits, key=lambda name: -fits[name].score)
    noise = float(np.clip(1.5 * fits[best[0]].residual, 1.2, 3.0))
    again = dict(fits)
    for name in {*best[:3], "none"}:
        rated = _rate(colors, weights, scale, name, fits[name].alpha, noise)
        again[name] = replace(
            rated, settled=fits[name].settled, cautious=fits[name].cautious, explained=fits[name].explained
        )
    return {name: again[name] for name in SHADINGS if name in {*best[:3], "none"}}


def _plain(scores: dict[str, float], explained: float, sentence: str) -> ShadingChoice:
    return ShadingChoice("none", scores, "", 1.0, explained, True, sentence)


@dataclass(frozen=True, eq=False)
class _Fit:
    """How well a model explains the calm pixels, and the values it gives them."""

    cautious: float
    score: float
    explained: float
    alpha: float
    residual: float
    units: NDArray[np.float64]
    settled: bool = True


def _choose(fits: dict[str, _Fit], weights: NDArray[np.float64], margin: float) -> ShadingChoice:
    scores = {name: fit.score for name, fit in fits.items()}
    best, runner_up = sorted(scores, key=lambda name: -scores[name])[:2]
    fit, plain = fits[best], fits["none"]
    gain = fit.cautious - plain.cautious
    if gain <= margin or fit.explained < MIN_EXPLAINED:
        share = f"{plain.explained:.0%} of the calm pixels have colours of the scale"
        return _plain(
            scores, plain.explained, f"Not shaded as far as can be told: {share}, and no shading explains more."
        )
    lead = fit.score - scores[runner_up]
    differ = float(weights @ (np.abs(fit.units - fits[runner_up].units) > MAX_DISAGREEMENT))
    if runner_up != "none" and differ < SAME_VALUES and lead < 0.6 and _PRIOR.get(runner_up, 0) > _PRIOR.get(best, 0):
        best, runner_up, fit, lead = runner_up, best, fits[runner_up], -lead
    sure = lead >= RUNNER_UP_MARGIN or differ < SAME_VALUES
    loses = best in NOT_UNDONE
    words = shading_model(best).words
    opacity = f" at {fit.alpha:.0%} opacity" if fit.alpha < 1 else ""
    sentence = (
        f"Shaded: {words}{opacity}, which explains {fit.explained:.0%} of the calm pixels"
        f" (the scale alone {plain.explained:.0%})."
    )
    if not sure:
        sentence += f" It may as well be {shading_model(runner_up).words}, which gives other values."
    if not fit.settled:
        sentence += " Other opacities explain it as well: the scale's colours keep to one hue and its opposite."
    if loses:
        sentence += " It gives different values the same colour, so that it cannot be undone."
    return ShadingChoice(
        best, scores, runner_up, fit.alpha, fit.explained, sure and fit.settled and not loses, sentence
    )


def _fit(colors: NDArray[np.uint8], weights: NDArray[np.float64], scale: ColorScale, name: str, noise: float) -> _Fit:
    """The best opacity, if the model has one, and the likelihood with it."""
    if not shading_model(name).transparent:
        return _rate(colors, weights, scale, name, 1.0, noise)
    few = colors[::3], weights[::3] / weights[::3].sum()
    tried = [_rate(*few, scale, name, alpha, noise + 1.5).score for alpha in _ALPHAS]
    middle = float(_ALPHAS[int(np.argmax(tried))])

    def misfit(alpha: float) -> float:
        away = sample_surface(scale, name, alpha, _UNITS, _LIGHTS).nearest(few[0]).distance
        return float(few[1] @ np.minimum(away / noise, 3) ** 2) / 2

    # The colours a model makes shrink with alpha: of two that fit alike, the one that fills its range is likelier.
    step = float(_ALPHAS[1] - _ALPHAS[0])
    alpha = float(
        minimize_scalar(
            lambda a: misfit(a) + np.log(a),
            bounds=(middle - step, min(middle + step, 0.995)),
            method="bounded",
            options={"xatol": 5e-4},
        ).x
    )
    least = misfit(alpha)
    rise = min(misfit(0.95 * alpha), misfit(min(1.05 * alpha, 1.0))) - least
    return replace(_rate(colors, weights, scale, name, alpha, noise), settled=rise >= MIN_RISE)


def _calm_colors(
    pixels: NDArray[np.uint8], mask: NDArray[np.bool_], lossy: bool, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Colours of a few thousand pixels in the calmer half of the map, and weights that hold down large flat areas."""
    height, width = mask.shape
    rows, cols = rng.integers(0, height, _DRAWN), rng.integers(0, width, _DRAWN)
    inside = mask[rows, cols]
    rows, cols = rows[inside], cols[inside]
    if not len(rows):
        return np.empty((0, 3), np.uint8), np.empty(0)
    high = np.zeros((len(rows), 3), np.uint8)
    low = np.full((len(rows), 3), 255, np.uint8)
    steps = (-4, -2, 0, 2, 4) if lossy else (-1, 0, 1)
    for dy in steps:
        for dx in steps:
            near = pixels[np.clip(rows + dy, 0, height - 1), np.clip(cols + dx, 0, width - 1)]
            np.maximum(high, near, out=high)
            np.minimum(low, near, out=low)
    spread = (high - low).max(axis=1)
    calm = np.flatnonzero(spread <= np.quantile(spread, 0.2 if lossy else 0.5))
    colors = pixels[rows[calm], cols[calm]]
    colors = colors[rng.permutation(len(colors))[:_SAMPLES]]
    alike = pack_colors((colors >> (3 if lossy else 1)).astype(np.uint8))
    _, inverse, counts = np.unique(alike, return_inverse=True, return_counts=True)
    weights = np.minimum(1.0, 0.01 * len(colors) / counts)[inverse]
    return colors, weights / weights.sum()


def _rate(
    colors: NDArray[np.uint8],
    weights: NDArray[np.float64],
    scale: ColorScale,
    name: str,
    alpha: float,
    noise: float,
) -> _Fit:
    """Mean log-likelihood: even over the voxels a model fills with the intensities found, and a little everywhere."""
    surface = sample_surface(scale, name, alpha, _UNITS, _LIGHTS, likely=True)
    place = surface.nearest(colors)
    unit, light, away = place.unit, place.light, place.distance
    near = away < 3 * noise
    fits = np.exp(-0.5 * np.minimum(away / noise, 9) ** 2)
    empty = np.log(_NOISE_SHARE * (_VOXEL / 256) ** 3)
    if not near.any():
        return _Fit(float(empty), float(empty), 0.0, alpha, float("inf"), unit)
    low, high = np.quantile(light[near], (0.02, 0.98))
    step = np.ptp(surface.lights) / 20
    used = (surface.lights >= low - step) & (surface.lights <= high + step)
    within = near & (light >= low - step) & (light <= high + step)
    voxel = pack_colors((surface.colors / _VOXEL).astype(np.uint8))
    even = within / len(np.unique(voxel[:, used]))

    edges = np.linspace(surface.lights[0], surface.lights[-1], _BINS + 1)[1:-1]
    filled = np.unique(voxel + (np.searchsorted(edges, surface.lights).astype(np.uint32) << 24))
    volume = np.bincount(filled >> 24, minlength=_BINS)
    bins = np.searchsorted(edges, light)
    frequency = np.bincount(bins, weights * near, _BINS) + 0.5 / len(colors)
    density = near * (frequency / frequency.sum() / np.maximum(volume, 1))[bins]

    residual = float(np.median(away[near]))

    def mean_log(share: NDArray[np.float64]) -> float:
        return float(weights @ np.log((1 - _NOISE_SHARE) * fits * share + np.exp(empty)))

    return _Fit(
        mean_log(even), mean_log(density) + _PRIOR.get(name, 0.0), float(weights[near].sum()), alpha, residual, unit
    )

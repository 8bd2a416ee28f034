"""Reading words in pictures: the recognition model of the rapidocr package, run by onnxruntime, without network."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geocbar.errors import NotFoundError
from geocbar.figure.words import ReadText, TextReading

__all__ = ["load_reader"]

#: Signs that labels of scales and graticules are made of.
NUMERIC_ALPHABET = "0123456789.,-−–+eE×x^%°º<>≤≥ NSWEO/()'⁰¹²³⁴⁵⁶⁷⁸⁹⁻"

_CROP_HEIGHT = 48
_BATCH = 8
_BATCH_PIXELS = 8 * 48 * 400
_THREADS = 2


@lru_cache(maxsize=1)
def load_reader() -> ReadText:
    """Load the recognition model that comes inside the rapidocr package.

    Returns
    -------
    callable
        Takes crops ``(h, w, 3)`` uint8, one line of text each, dark on white, best 48 px high; returns one
        :class:`~geocbar.figure.words.TextReading` for each, with the text decoded from all characters and, as
        first alternative, from numbers' characters only.

    Raises
    ------
    NotFoundError
        If rapidocr or its model is not installed.

    References
    ----------
    PP-OCR models: https://github.com/PaddlePaddle/PaddleOCR; as ONNX: https://github.com/RapidAI/RapidOCR
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(str(_model_file()), options, providers=["CPUExecutionProvider"])
    named = session.get_modelmeta().custom_metadata_map.get("character", "").splitlines()
    names = ["", *named, " "]
    numeric = np.array([k for k, name in enumerate(names) if k == 0 or name in NUMERIC_ALPHABET])
    feed = session.get_inputs()[0].name

    def read(crops: Sequence[NDArray[np.uint8]]) -> list[TextReading]:
        tensors = [_as_tensor(crop) for crop in crops]
        readings: list[TextReading | None] = [None] * len(tensors)
        for batch in _batches([tensor.shape[2] for tensor in tensors]):
            width = max(tensors[k].shape[2] for k in batch)
            stack = np.ones((len(batch), 3, _CROP_HEIGHT, width), np.float32)
            for row, k in enumerate(batch):
                stack[row, :, :, : tensors[k].shape[2]] = tensors[k]
            for k, chances in zip(batch, session.run(None, {feed: stack})[0], strict=True):
                free = _decode(chances, names)
                digits = chances[:, numeric]
                digits = digits / np.maximum(digits.sum(axis=1, keepdims=True), 1e-9)
                readings[k] = TextReading(*free, (_decode(digits, [names[n] for n in numeric]),))
        return [reading for reading in readings if reading is not None]

    return read


def _model_file() -> Path:
    """Recognition model inside the installed rapidocr; the package itself is not loaded."""
    package = find_spec("rapidocr")
    folders = list(package.submodule_search_locations or []) if package else []
    models = sorted(path for folder in folders for path in Path(folder, "models").glob("*rec*.onnx"))
    if not models:
        raise NotFoundError(
            "Labels cannot be read: rapidocr's recognition model is not installed.", "Install it: pip install rapidocr"
        )
    return models[-1]


def _as_tensor(crop: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Crop at the model's height, channels first, -1 (black) to 1 (white)."""
    from scipy import ndimage

    pixels = np.asarray(crop, np.float32) / 127.5 - 1
    if pixels.shape[0] != _CROP_HEIGHT:
        step = _CROP_HEIGHT / pixels.shape[0]
        pixels = ndimage.zoom(pixels, (step, step, 1), order=1, grid_mode=True, mode="nearest")[:_CROP_HEIGHT]
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _batches(widths: Sequence[int]) -> list[list[int]]:
    """Crops of similar width together, as many at a time as memory likes."""
    batches: list[list[int]] = []
    for k in sorted(range(len(widths)), key=lambda k: widths[k]):
        last = batches[-1] if batches else []
        full = len(last) in (0, _BATCH) or widths[k] * _CROP_HEIGHT * (len(last) + 1) > _BATCH_PIXELS
        if full or widths[k] > 1.25 * widths[last[0]] + 16:
            batches.append([k])
        else:
            last.append(k)
    return batches


def _decode(chances: NDArray[Any], names: Sequence[str]) -> tuple[str, float]:
    """Best character of every column, repeats and blanks dropped; the confidence is that of the least sure one."""
    best = chances.argmax(axis=1)
    fresh = np.r_[True, best[1:] != best[:-1]] & (best != 0)
    sure: dict[int, float] = {}
    start = -1
    for column, (k, new) in enumerate(zip(best, fresh, strict=True)):
        if new:
            start = column
        if k != 0:
            sure[start] = max(sure.get(start, 0.0), float(chances[column, k]))
    text = "".join(names[k] for k in best[fresh])
    return text, min(sure.values()) if sure else 0.0

"""Reading words in pictures: the recognition model of the rapidocr package, run by onnxruntime, without network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
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
#: Crops are filled up with white to a multiple of this width.
_WIDTH_STEP = 32
#: At most so many readings are kept for crops that come again.
_REMEMBERED = 4000


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

    known: dict[bytes, TextReading] = {}

    def read(crops: Sequence[NDArray[np.uint8]]) -> list[TextReading]:
        keys = [_fingerprint(crop) for crop in crops]
        if len(known) + len(crops) > _REMEMBERED:
            known.clear()
        fresh = {key: _as_tensor(crop) for key, crop in zip(keys, crops, strict=True) if key not in known}
        for batch in _batches({key: tensor.shape[2] for key, tensor in fresh.items()}):
            stack = np.stack([fresh[key] for key in batch])
            for key, chances in zip(batch, session.run(None, {feed: stack})[0], strict=True):
                free = _decode(chances, names)
                digits = chances[:, numeric]
                digits = digits / np.maximum(digits.sum(axis=1, keepdims=True), 1e-9)
                known[key] = TextReading(*free, (_decode(digits, [names[n] for n in numeric]),))
        return [known[key] for key in keys]

    return read


def _fingerprint(crop: NDArray[np.uint8]) -> bytes:
    """What tells a crop from all others: the same words are met again around every bar of a figure."""
    return hashlib.blake2b(np.ascontiguousarray(crop).tobytes() + str(crop.shape).encode(), digest_size=16).digest()


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
    """Crop at the model's height, channels first, -1 (black) to 1 (white), with white to the next full width."""
    from scipy import ndimage

    pixels = np.asarray(crop, np.float32) / 127.5 - 1
    if pixels.shape[0] != _CROP_HEIGHT:
        step = _CROP_HEIGHT / pixels.shape[0]
        pixels = ndimage.zoom(pixels, (step, step, 1), order=1, grid_mode=True, mode="nearest")[:_CROP_HEIGHT]
    width = -(-pixels.shape[1] // _WIDTH_STEP) * _WIDTH_STEP
    tensor = np.ones((3, _CROP_HEIGHT, width), np.float32)
    tensor[:, :, : pixels.shape[1]] = pixels.transpose(2, 0, 1)
    return tensor


def _batches(widths: Mapping[bytes, int]) -> list[list[bytes]]:
    """Crops of one width together, as many at a time as memory likes: what is read does not depend on the company."""
    batches: list[list[bytes]] = []
    for key in sorted(widths, key=lambda key: widths[key]):
        last = batches[-1] if batches else []
        full = len(last) in (0, _BATCH) or widths[key] * _CROP_HEIGHT * (len(last) + 1) > _BATCH_PIXELS
        if full or widths[key] != widths[last[0]]:
            batches.append([key])
        else:
            last.append(key)
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

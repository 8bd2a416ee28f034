"""The rules of the house, held over the imports of the package."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "geocbar"

#: What each room may import from geocbar at the top level of a module or inside a function.
ALLOWED = {
    "errors": set(),
    "figure": {"errors", "figure"},
    "value": {"errors", "figure", "value"},
    "place": {"errors", "figure", "place"},
    "grid": {"errors", "figure", "value", "place", "grid"},
    "files": {"errors", "figure", "value", "place", "grid", "files"},
    "recipe": {"errors"},
    "scale_source": {"errors", "figure", "value", "files", "recipe"},
    "figure_reading": {"errors", "figure", "value"},
    "figure_source": {"errors", "figure", "files", "recipe"},
    "inspection": {"errors", "figure", "value", "place", "recipe", "figure_source", "figure_reading"},
    "digitized_map": {"errors", "figure", "value", "place", "grid", "files", "recipe", "inspection", "__init__"},
    "digitization": {
        *("errors", "figure", "value", "place", "grid", "files", "recipe", "figure_source", "scale_source"),
        *("inspection", "digitized_map", "__init__"),
    },
    "app": {
        *("errors", "figure", "value", "place", "grid", "files", "recipe", "figure_source", "figure_reading"),
        *("scale_source", "inspection", "digitized_map", "digitization", "app", "__init__"),
    },
    "__init__": set(),
    "__main__": {"app"},
}

#: Packages that only these rooms (or files) may import.
CONFINED = {
    "click": {"app/cli.py", "app/commands"},
    "PIL": {"files"},
    "geopandas": {"files"},
    "pyogrio": {"files"},
    "pypdfium2": {"files"},
    "rapidocr": {"app/text.py"},
    "onnxruntime": {"app/text.py"},
    "rasterio": {"files", "grid/raster.py"},
    "shapely": {"files", "grid"},
    "tomli_w": {"recipe.py"},
}

#: Imported inside functions only: they are slow to load.
LAZY = {
    *("rapidocr", "onnxruntime", "pypdfium2", "PIL", "geopandas", "pyogrio", "rasterio", "sklearn", "pyproj"),
    *("cmap", "pandas", "shapely", "tomli_w"),
}

PURE = ("figure", "value", "place", "grid")


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0].removesuffix(".py")


def imports(path: Path) -> list[tuple[str, bool, list[str]]]:
    """(module, at top level, names) of every import, those for type checking left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    guarded = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    top = {id(node) for node in tree.body}
    found = []
    for node in ast.walk(tree):
        if id(node) in guarded:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in top, []) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found.append((node.module or "", id(node) in top, [alias.name for alias in node.names]))
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_only(path: Path) -> None:
    for module, _, _ in imports(path):
        parts = module.split(".")
        if parts[0] != "geocbar":
            continue
        target = parts[1] if len(parts) > 1 else "__init__"
        assert target in ALLOWED[room(path)], f"{path.name} imports {module}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_packages_stay_in_their_rooms(path: Path) -> None:
    place = path.relative_to(PACKAGE).as_posix()
    for module, top, _ in imports(path):
        package = module.split(".")[0]
        if package in CONFINED:
            assert any(place == home or place.startswith(home + "/") for home in CONFINED[package]), (place, module)
        assert not (top and package in LAZY), f"{place} loads {package} when it is imported"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_pure_rooms_touch_nothing_outside(path: Path) -> None:
    if room(path) not in PURE:
        return
    banned = {"os", "pathlib", "time", "datetime", "io", "sys", "subprocess", "tempfile", "random"}
    assert not [m for m, _, _ in imports(path) if m.split(".")[0] in banned]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = {n.func.id for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}
    assert not calls & {"open", "print", "input"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_function_never_bears_its_modules_name(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert path.stem not in {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    assert path.stem not in {"utils", "types", "helpers", "common", "misc"}


def test_no_circles() -> None:
    names = {".".join(p.relative_to(PACKAGE.parent).with_suffix("").parts): p for p in modules()}
    graph = {name: {m for m, top, _ in imports(path) if top and m in names} for name, path in names.items()}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, " -> ".join((*trail, name))
        for target in graph[name]:
            visit(target, (*trail, name))

    for name in graph:
        visit(name, ())


def test_help_is_quick_and_loads_nothing_heavy() -> None:
    code = (
        "import sys, time\n"
        "from click.testing import CliRunner\n"
        "from geocbar.app.cli import commands\n"
        "result = CliRunner().invoke(commands, ['run', '--help'])\n"
        "assert result.exit_code == 0\n"
        "heavy = {'sklearn', 'geopandas', 'rasterio', 'pyproj', 'PIL', 'numpy', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert time.process_time() < 0.3, time.process_time()\n"
    )
    best = None
    for _ in range(3):
        best = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        if best.returncode == 0:
            break
    assert best is not None
    assert best.returncode == 0, best.stderr

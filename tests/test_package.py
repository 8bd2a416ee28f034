"""The wheel holds all of geocbar and nothing else, and works where it is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from map_job import ROOT, draw_job

import geocbar as gb

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | variables
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder the wheel was installed to, without what it depends on."""
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(*pip, "--no-deps", "--no-index", "--target", target, wheel, cwd=target)
    return target


def test_wheel_holds_every_module_and_no_tests(wheel: Path) -> None:
    assert wheel.name == f"geocbar-{gb.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        info = f"geocbar-{gb.__version__}.dist-info"
        metadata = message_from_string(archive.read(f"{info}/METADATA").decode())
        scripts = archive.read(f"{info}/entry_points.txt").decode()
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "geocbar").rglob("*.py")}
    assert modules <= names
    assert "geocbar/py.typed" in names
    beside = {name for name in names - modules if not name.startswith(f"{info}/")}
    rooms = ("app/static", "app/picker/static", "files/coastlines")
    data = {path.relative_to(ROOT).as_posix() for room in rooms for path in (ROOT / "geocbar" / room).iterdir()}
    assert beside == {"geocbar/py.typed"} | data
    assert f"{info}/licenses/LICENSE" in names
    assert metadata["Requires-Python"] == ">=3.11"
    assert "geocbar = geocbar.app.cli:main" in scripts


def test_installed_command_says_its_version_and_lists_itself(installed: Path, tmp_path: Path) -> None:
    place = run(
        sys.executable, "-P", "-c", "import geocbar; print(geocbar.__file__)", cwd=tmp_path, PYTHONPATH=str(installed)
    )
    assert Path(place.strip()).is_relative_to(installed)
    for command in ([sys.executable, "-P", "-m", "geocbar"], [sys.executable, "-P", installed / "bin" / "geocbar"]):
        said = run(*command, "--version", cwd=tmp_path, PYTHONPATH=str(installed))
        assert said == f"geocbar, version {gb.__version__}\n"


def test_installed_command_does_the_job_elsewhere(installed: Path, tmp_path: Path) -> None:
    job = draw_job(tmp_path)
    said = run(sys.executable, "-P", "-m", "geocbar", "run", *job.args, cwd=tmp_path, PYTHONPATH=str(installed))
    assert "9 points" in said
    assert {path.name for path in (tmp_path / "map_geocbar").iterdir()} == {
        "map.tif",
        "map.gpkg",
        "map.qml",
        "map.toml",
        "map.check.png",
        "map.html",
        "map.reason.tif",
        "map.reason.qml",
    }

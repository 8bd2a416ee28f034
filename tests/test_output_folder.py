"""A folder appears complete or not at all, and nothing of the user's is ever lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from geocbar.errors import FileProblemError
from geocbar.files.output_folder import fresh_folder, require_free

OUTPUTS = ("map.tif", "map.gpkg", "map.qml", "map.toml", "map.check.png", "map.csv", "map.tif.aux.xml")


def fill(folder: Path, text: str = "new", names: tuple[str, ...] = OUTPUTS) -> None:
    for name in names:
        (folder / name).write_text(text)


def snapshot(folder: Path) -> dict[str, str | None]:
    """Every path below a folder with its content (None for folders)."""
    return {
        str(path.relative_to(folder)): path.read_text() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def earlier(tmp_path: Path) -> Path:
    """The outputs of an earlier run."""
    target = tmp_path / "out"
    target.mkdir()
    fill(target, "old")
    return target


@pytest.mark.parametrize("place", ["out", "a/b/c/out", "with space/ü.d"])
def test_the_folder_appears_with_everything(place: str, tmp_path: Path) -> None:
    target = tmp_path / place
    with fresh_folder(target) as folder:
        fill(folder)
        assert not target.exists()
        assert folder.parent == target.parent
    assert set(snapshot(target)) == set(OUTPUTS)
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_it_is_as_readable_as_other_folders(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with fresh_folder(tmp_path / "out") as folder:
        fill(folder)
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_an_empty_folder_is_used(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    with fresh_folder(target) as folder:
        fill(folder)
    assert set(snapshot(tmp_path)) == {"out", *(f"out/{name}" for name in OUTPUTS)}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, FileProblemError])
@pytest.mark.parametrize("overwrite", [False, True])
def test_nothing_changes_if_anything_goes_wrong(error: type[BaseException], overwrite: bool, earlier: Path) -> None:
    target = earlier if overwrite else earlier.parent / "fresh"
    before = snapshot(earlier.parent)
    with pytest.raises(error, match="half-way"), fresh_folder(target, overwrite) as folder:  # noqa: PT012
        fill(folder, names=OUTPUTS[:2])
        raise error("half-way")
    assert snapshot(earlier.parent) == before


def test_system_errors_become_sentences(tmp_path: Path) -> None:
    with pytest.raises(FileProblemError, match=r"out cannot be written: No space left on device\.\n  Check"):  # noqa: SIM117
        with fresh_folder(tmp_path / "out"):
            raise OSError(28, "No space left on device")
    assert snapshot(tmp_path) == {}


@pytest.mark.parametrize("failing", [1, 2])
@pytest.mark.parametrize("error", [OSError(18, "Invalid cross-device link"), KeyboardInterrupt("now")])
def test_nothing_changes_if_the_last_step_fails(
    failing: int, error: BaseException, earlier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two renames make the exchange: the old folder away, the new one in its place."""
    before = snapshot(earlier.parent)
    rename, calls = Path.rename, []

    def fail_once(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == failing:
            raise error
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_once)
    kind = FileProblemError if isinstance(error, OSError) else KeyboardInterrupt
    with pytest.raises(kind, match=r"cross-device|now"), fresh_folder(earlier, overwrite=True) as folder:
        fill(folder)
    assert snapshot(earlier.parent) == before


def test_earlier_outputs_are_replaced_when_told(earlier: Path) -> None:
    with pytest.raises(FileProblemError, match=r"out exists and holds 7 files\.\n  Replace it with --overwrite"):  # noqa: SIM117
        with fresh_folder(earlier):
            pytest.fail("the work began")
    with fresh_folder(earlier, overwrite=True) as folder:
        fill(folder, names=("map.tif", "map.toml"))
    assert snapshot(earlier.parent) == {"out": None, "out/map.tif": "new", "out/map.toml": "new"}


@pytest.mark.parametrize(
    "name",
    ["thesis.docx", "map.jpg", "gcps.csv", "other.tif", ".git", "map.tif.bak", "MAP.TIF", "pyproject.toml", "map"],
)
def test_files_of_others_are_never_replaced(name: str, earlier: Path) -> None:
    (earlier / name).write_text("precious")
    before = snapshot(earlier.parent)
    with pytest.raises(FileProblemError, match="files that are not the outputs of an earlier run") as caught:  # noqa: SIM117
        with fresh_folder(earlier, overwrite=True):
            pytest.fail("the work began")
    assert caught.value.hint == "Name another folder: --out DIR"
    assert snapshot(earlier.parent) == before


def test_the_foreign_files_are_named(earlier: Path) -> None:
    for name in ("a.doc", "b.doc", "c.doc", "d.doc"):
        (earlier / name).touch()
    with pytest.raises(FileProblemError, match=r"\(a\.doc, b\.doc, c\.doc\): it is not overwritten"):  # noqa: SIM117
        with fresh_folder(earlier, overwrite=True):
            pytest.fail("the work began")


@pytest.mark.parametrize("names", [("data.csv", "pyproject.toml"), ("map.tif", "map.gpkg"), ("a.tif", "b.tif")])
def test_a_folder_that_only_resembles_one_is_kept(names: tuple[str, ...], tmp_path: Path) -> None:
    fill(tmp_path, "precious", names)
    with pytest.raises(FileProblemError, match="not the outputs of an earlier run"):  # noqa: SIM117
        with fresh_folder(tmp_path, overwrite=True):
            pytest.fail("the work began")
    assert set(snapshot(tmp_path)) == set(names)


def test_a_folder_inside_is_foreign_whatever_its_name(earlier: Path) -> None:
    (earlier / "map.csv").unlink()
    (earlier / "map.csv").mkdir()
    with pytest.raises(FileProblemError, match=r"\(map\.csv\)"):  # noqa: SIM117
        with fresh_folder(earlier, overwrite=True):
            pytest.fail("the work began")


def test_targets_that_are_no_folders(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("precious")
    for target, sentence in (
        (file, r"notes\.txt is a file\.\n  Name a folder: --out DIR"),
        (file / "out", r"notes\.txt is a file, so .*out cannot be made\.\n  Name a folder: --out DIR"),
        (tmp_path / ("x" * 300), r"cannot be used: File name too long\.\n  Name another folder: --out DIR"),
    ):
        with pytest.raises(FileProblemError, match=sentence), fresh_folder(target, overwrite=True):
            pytest.fail("the work began")
    assert snapshot(tmp_path) == {"notes.txt": "precious"}


@pytest.mark.parametrize("target", [".", "..", "below/..", "../here"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_the_folder_one_stands_in_is_not_pulled_away(
    target: str, overwrite: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    (here / "below").mkdir(parents=True)
    monkeypatch.chdir(here)
    with pytest.raises(FileProblemError, match=r"is the folder you are in, or one above it"):  # noqa: SIM117
        with fresh_folder(target, overwrite):
            pytest.fail("the work began")
    assert snapshot(tmp_path) == {"here": None, "here/below": None}


def test_relative_targets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for target in ("out", "./deep/er", "../beside", "new/"):
        with fresh_folder(target) as folder:
            fill(folder, names=("map.tif",))
    assert {name for name in snapshot(tmp_path) if name.endswith("map.tif")} == {
        "here/out/map.tif",
        "here/deep/er/map.tif",
        "beside/map.tif",
        "here/new/map.tif",
    }


def test_a_link_to_a_folder_stays_a_link(earlier: Path) -> None:
    link = earlier.parent / "link"
    link.symlink_to(earlier, target_is_directory=True)
    with fresh_folder(link, overwrite=True) as folder:
        fill(folder)
    assert link.is_symlink()
    assert (earlier / "map.tif").read_text() == "new"


def test_a_folder_below_a_file_is_refused_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FileProblemError, match="is a file, so"):
        require_free(tmp_path / "file" / "out", overwrite=False)

"""What a picture's file and the files beside it say about its place, held against GDAL's own reading."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from PIL import Image
from pyproj import CRS
from rasterio.control import GroundControlPoint

from geocbar.errors import FileProblemError, InvalidInputError, NotFoundError
from geocbar.files.georeferenced import Placement, read_placement
from geocbar.place.gcps import check_gcps
from geocbar.place.georeference import fit_georeference
from geocbar.place.projections import is_geographic

WIDTH, HEIGHT = 60, 40
UTM = Affine(500, 0, 300000, 0, -500, 5600000)
TURNED = Affine(450, 120, 300000, 130, -480, 5600000)
DEGREES = Affine(0.1, 0, 100, 0, -0.1, 10)
PLACES = np.array([[0, 0], [0.5, 0.5], [60, 0], [13.25, 37.5], [60, 40]], np.float64)


def picture(path: Path, **options: object) -> Path:
    """A grey picture in the format its name says."""
    Image.new("RGB", (WIDTH, HEIGHT), (120, 130, 140)).save(path, **options)
    return path


def geotiff(path: Path, **options: object) -> Path:
    profile = {"driver": "GTiff", "width": WIDTH, "height": HEIGHT, "count": 3, "dtype": "uint8"}
    with rasterio.open(path, "w", **{**profile, **options}) as file:
        file.write(np.full((3, HEIGHT, WIDTH), 99, np.uint8))
    return path


def world_file(path: Path, matrix: Affine) -> Path:
    a, b, c, d, e, f = matrix[:6]
    lines = (a, d, b, e, c + (a + b) / 2, f + (d + e) / 2)
    path.write_text("\n".join(map(repr, lines)) + "\n")
    return path


def world_of(matrix: Affine, pixels: NDArray[np.float64] = PLACES) -> NDArray[np.float64]:
    a, b, c, d, e, f = matrix[:6]
    col, row = pixels.T
    return np.stack([a * col + b * row + c, d * col + e * row + f], axis=1)


def assert_affine(found: Placement | None, matrix: Affine, crs: str) -> Placement:
    """The control points give the transform back, through the fit."""
    assert found is not None
    assert found.exact
    check_gcps(found.gcps, WIDTH, HEIGHT)
    assert CRS.from_user_input(found.gcps.crs).equals(CRS.from_user_input(crs), ignore_axis_order=True)
    fit = fit_georeference(found.gcps, "affine")
    size = np.hypot(*matrix[:6][0::3][:2])
    np.testing.assert_allclose(fit.transform.to_world(PLACES), world_of(matrix), atol=1e-7 * size, rtol=1e-12)
    assert fit.affine is not None
    np.testing.assert_allclose(fit.affine[:6], matrix[:6], atol=1e-7 * size, rtol=1e-11)
    return found


# ---------------------------------------------------------------- GeoTIFF


@pytest.mark.parametrize(
    ("matrix", "crs"), [(UTM, "EPSG:32633"), (TURNED, "EPSG:32633"), (DEGREES, "EPSG:4326"), (UTM, "EPSG:3035")]
)
def test_geotiff_tags(matrix: Affine, crs: str, tmp_path: Path) -> None:
    found = assert_affine(read_placement(geotiff(tmp_path / "map.tif", transform=matrix, crs=crs)), matrix, crs)
    assert found.source == "the GeoTIFF tags of map.tif"
    assert found.gcps.crs == crs
    assert len(found.gcps) == 9
    assert found.notes == ()
    np.testing.assert_allclose(found.gcps.pixels[0], [0, 0])
    np.testing.assert_allclose(found.gcps.pixels[-1], [WIDTH, HEIGHT])


def test_pixel_is_point_is_shifted_as_gdal_does(tmp_path: Path) -> None:
    path = geotiff(tmp_path / "map.tif", transform=UTM, crs="EPSG:32633")
    with rasterio.open(path, "r+") as file:
        file.update_tags(AREA_OR_POINT="Point")
        file.transform = UTM
    with rasterio.open(path) as file:
        stated = file.transform
    assert_affine(read_placement(path), stated, "EPSG:32633")


def test_gdal_itself_puts_pixels_there(tmp_path: Path) -> None:
    tool = shutil.which("gdaltransform")
    if tool is None:
        pytest.skip("gdaltransform is not installed")
    path = picture(tmp_path / "map.png")
    world_file(tmp_path / "map.pgw", TURNED)
    text = "".join(f"{col} {row}\n" for col, row in PLACES)
    done = subprocess.run(
        [tool, str(path)],
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={"PATH": "/usr/bin:/bin"},
    )
    seen = np.array([line.split()[:2] for line in done.stdout.splitlines()], np.float64)
    found = read_placement(path, crs="EPSG:32633")
    assert found is not None
    np.testing.assert_allclose(fit_georeference(found.gcps, "affine").transform.to_world(PLACES), seen, atol=1e-3)


def test_control_points_in_a_tiff(tmp_path: Path) -> None:
    stated = [(3.5, 2.25), (50, 4), (9, 36), (55, 39), (30, 20)]
    points = [
        GroundControlPoint(row=row, col=col, x=10 + col / 7, y=50 - row / 9, id=f"p{i}")
        for i, (col, row) in enumerate(stated)
    ]
    path = geotiff(tmp_path / "map.tif", gcps=points, crs="EPSG:4258")
    found = read_placement(path)
    assert found is not None
    assert not found.exact
    assert found.gcps.crs == "EPSG:4258"
    np.testing.assert_allclose(found.gcps.pixels, stated, atol=1e-9)
    np.testing.assert_allclose(found.gcps.world, [(10 + c / 7, 50 - r / 9) for c, r in stated], atol=1e-9)


def test_control_points_without_a_reference_system_ask_for_one(tmp_path: Path) -> None:
    points = [GroundControlPoint(row=r, col=c, x=c * 1000, y=-r * 1000) for c, r in [(0, 0), (9, 0), (0, 9), (9, 9)]]
    path = geotiff(tmp_path / "map.tif", gcps=points, crs=rasterio.crs.CRS())
    with pytest.raises(InvalidInputError, match=r"GeoTIFF tags of map\.tif .* no coordinate reference system"):
        read_placement(path)
    found = read_placement(path, crs="EPSG:3035")
    assert found is not None
    assert found.gcps.crs == "EPSG:3035"


# ---------------------------------------------------------------- world files


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("map.jpg", "map.jgw"),
        ("map.jpg", "map.JGW"),
        ("map.jpeg", "map.jgw"),
        ("map.JPG", "map.jpgw"),
        ("map.png", "map.pgw"),
        ("map.png", "map.wld"),
        ("map.png", "map.PNGW"),
        ("map.gif", "map.gfw"),
        ("map.bmp", "map.bpw"),
        ("map.tif", "map.tfw"),
        ("map.tif", "map.TFW"),
        ("my.map.v2.png", "my.map.v2.pgw"),
    ],
)
def test_world_files(name: str, beside: str, tmp_path: Path) -> None:
    path = picture(tmp_path / name)
    world_file(tmp_path / beside, TURNED)
    found = assert_affine(read_placement(path, crs="EPSG:32633"), TURNED, "EPSG:32633")
    assert found.source == f"the world file {beside}"


def test_a_world_file_is_read_as_gdal_reads_it(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    (tmp_path / "map.pgw").write_text("500\n0\n0\n-500\n300250\n5599750\n")
    with rasterio.open(path) as file:
        assert file.transform.almost_equals(UTM)
    assert_affine(read_placement(path, crs="EPSG:32633"), UTM, "EPSG:32633")


@pytest.mark.parametrize("style", ["WKT1_ESRI", "WKT1_GDAL", "WKT2_2019"])
def test_the_prj_beside_names_the_system(style: str, tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    world_file(tmp_path / "map.pgw", UTM)
    (tmp_path / "map.prj").write_text(CRS("EPSG:32633").to_wkt(style))
    found = read_placement(path)
    assert found is not None
    at = CRS.from_user_input(found.gcps.crs)
    assert (at.utm_zone, at.is_projected) == ("33N", True)


def test_a_world_file_without_a_system_asks_for_it(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.jpg")
    world_file(tmp_path / "map.jgw", UTM)
    with pytest.raises(InvalidInputError, match=r"The world file map\.jgw .* names no.*\n.*--gcp-crs EPSG:32633"):
        read_placement(path)
    world_file(tmp_path / "map.jgw", DEGREES)
    with pytest.raises(InvalidInputError, match=r"x 100 to 106, y 6 to 10.*\n.*longitudes.*--gcp-crs EPSG:4326"):
        read_placement(path)
    with pytest.raises(NotFoundError, match="EPSG:99999"):
        read_placement(path, crs="EPSG:99999")


def test_a_plan_in_local_metres(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    world_file(tmp_path / "map.pgw", Affine(0.5, 0, 0, 0, -0.5, 30))
    found = read_placement(path, crs="local")
    assert found is not None
    assert found.exact
    np.testing.assert_allclose(found.gcps.world[-1], [30, 10])


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1 2 3", "six numbers; it holds 3"),
        ("0,5\n0\n0\n-0,5\n3\n4", "'0,5' is not a number"),
        ("1\n0\n0\n-1\n3\n4\n5", "it holds 7"),
        ("nan 0 0 -1 3 4", "'nan' is not a number"),
    ],
)
def test_broken_world_files_are_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    (tmp_path / "map.pgw").write_text(text)
    with pytest.raises(FileProblemError, match=sentence):
        read_placement(path, crs="EPSG:32633")


@pytest.mark.parametrize("numbers", ["0 0 0 0 5 5", "2 0 0 0 5 5", "1 2 2 4 0 0", "1e999 0 0 -1 0 0"])
def test_a_transform_onto_a_line_is_refused(numbers: str, tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    (tmp_path / "map.pgw").write_text(numbers)
    with pytest.raises(InvalidInputError, match=r"squeezes map\.png into a line"):
        read_placement(path, crs="EPSG:32633")


def test_world_files_of_other_pictures_are_left_alone(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    for name in ("map.jgw", "map2.pgw", "map.png.txt", "pgw"):
        world_file(tmp_path / name, UTM)
    assert read_placement(path, crs="EPSG:32633") is None


# ---------------------------------------------------------------- .aux.xml


def sidecar(path: Path, inside: str) -> None:
    path.with_name(path.name + ".aux.xml").write_text(f"<PAMDataset>{inside}</PAMDataset>")


def test_the_sidecar_that_gdal_writes(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path, "r+") as file:
        file.transform, file.crs = TURNED, rasterio.crs.CRS.from_epsg(32633)
    assert (tmp_path / "map.png.aux.xml").exists()
    found = assert_affine(read_placement(path), TURNED, "EPSG:32633")
    assert found.source == "the sidecar map.png.aux.xml"


def test_longitude_comes_first_whatever_the_sidecars_order(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path, "r+") as file:
        file.transform, file.crs = DEGREES, rasterio.crs.CRS.from_epsg(4326)
    tree = ET.parse(tmp_path / "map.png.aux.xml")
    srs = tree.getroot().find("SRS")
    assert srs is not None
    assert srs.get("dataAxisToSRSAxisMapping") == "2,1"
    assert_affine(read_placement(path), DEGREES, "EPSG:4326")
    sidecar(
        path,
        '<SRS dataAxisToSRSAxisMapping="1,2">EPSG:4326</SRS><GeoTransform>10,0,-0.1,100,0.1,0</GeoTransform>',
    )
    assert_affine(read_placement(path), DEGREES, "EPSG:4326")


def test_control_points_in_the_sidecar(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    gcps = "".join(
        f'<GCP Id="{i}" Pixel="{c}" Line="{r}" X="{20 + c / 10}" Y="{40 - r / 10}"/>'
        for i, (c, r) in enumerate([(1, 2), (50, 3), (7, 38), (55, 30)])
    )
    sidecar(path, f'<GCPList Projection="EPSG:4326">{gcps}</GCPList>')
    found = read_placement(path)
    assert found is not None
    assert not found.exact
    assert found.source == "the sidecar map.png.aux.xml"
    np.testing.assert_allclose(found.gcps.world[1], [25, 39.7])


def test_the_sidecar_names_the_system_of_the_world_file(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    world_file(tmp_path / "map.pgw", UTM)
    sidecar(path, f"<GeodataXform><SpatialReference><WKT>{CRS('EPSG:32633').to_wkt()}</WKT></SpatialReference></GeodataXform>")  # fmt: skip  # noqa: E501
    found = assert_affine(read_placement(path), UTM, "EPSG:32633")
    assert found.source == "the world file map.pgw"
    told = read_placement(path, crs="EPSG:32632")
    assert told is not None
    assert told.gcps.crs == "EPSG:32633"
    assert told.notes == ("The file names its own reference system, WGS 84 / UTM zone 33N; EPSG:32632 was not used.",)


BOMB = '<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused(encoding: str, tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    declared = f'<?xml version="1.0" encoding="{encoding}"?>{BOMB}'
    (tmp_path / "map.png.aux.xml").write_bytes(f"{declared}<PAMDataset>&c;</PAMDataset>".encode(encoding))
    with pytest.raises(FileProblemError, match=r"map\.png\.aux\.xml is not sound XML: it defines a document type"):
        read_placement(path)
    (tmp_path / "map.png.aux.xml").unlink()
    (tmp_path / "map.kml").write_bytes(f"{declared}<kml>map.png &c;</kml>".encode(encoding))
    with pytest.raises(FileProblemError, match=r"map\.kml is not sound XML: it defines a document type"):
        read_placement(path)


@pytest.mark.parametrize(
    "inside", ["<GeoTransform>1,2,3</GeoTransform>", "<GeoTransform>1,2,3,4,five,6</GeoTransform>", "<oops>"]
)
def test_broken_sidecars_are_refused(inside: str, tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    sidecar(path, inside)
    with pytest.raises(FileProblemError, match=r"map\.png\.aux\.xml .*(6 numbers|not sound XML)"):
        read_placement(path)


# ---------------------------------------------------------------- KML


def overlay(folder: Path, place: str, href: str = "map.png", name: str = "doc.kml") -> None:
    (folder / name).write_text(
        '<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"'
        ' xmlns:gx="http://www.google.com/kml/ext/2.2"><Document><GroundOverlay>'
        f"<Icon><href>{href}</href></Icon>{place}</GroundOverlay></Document></kml>"
    )


def box(north: float, south: float, east: float, west: float, extra: str = "") -> str:
    sides = f"<north>{north}</north><south>{south}</south><east>{east}</east><west>{west}</west>"
    return f"<LatLonBox>{sides}{extra}</LatLonBox>"


@pytest.mark.parametrize("href", ["map.png", "files/map.png", "./MAP.PNG", "files\\map.png"])
def test_ground_overlay(href: str, tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    overlay(tmp_path, box(10, 6, 106, 100), href)
    found = assert_affine(read_placement(path), DEGREES, "EPSG:4326")
    assert found.source == "the ground overlay in doc.kml"


def test_ground_overlays_of_other_pictures_are_left_alone(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    overlay(tmp_path, box(10, 6, 106, 100), "overmap.png", "map.kml")
    (tmp_path / "broken.kml").write_text("<kml>")
    assert read_placement(path) is None


def test_names_with_blanks_are_found(tmp_path: Path) -> None:
    path = picture(tmp_path / "my map.png")
    overlay(tmp_path, box(10, 6, 106, 100), "my%20map.png")
    assert read_placement(path) is not None


def test_ground_overlay_across_the_date_line(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    overlay(tmp_path, box(10, 6, -177, 177))
    assert_affine(read_placement(path), Affine(0.1, 0, 177, 0, -0.1, 10), "EPSG:4326")


def test_a_turned_ground_overlay_keeps_its_right_angles_on_the_ground(tmp_path: Path) -> None:
    """Corners measured for an orthophoto near Bergen, to 1.5 m; turned in degrees they would be 30 m off."""
    path = picture(tmp_path / "map.png")
    turn = "<rotation>3.7088732260919</rotation>"
    overlay(tmp_path, box(60.406505416667, 60.400570555556, 5.3351572222222, 5.3190577777778, turn))
    found = read_placement(path)
    assert found is not None
    world = dict(zip(found.gcps.names, found.gcps.world, strict=True))
    np.testing.assert_allclose(world["bottom left"], [5.3194425, 60.400316388889], atol=2.5e-5)
    np.testing.assert_allclose(world["bottom right"], [5.3355405555556, 60.400824722222], atol=2.5e-5)
    np.testing.assert_allclose(world["top right"], [5.3347738888889, 60.406759444444], atol=2.5e-5)
    np.testing.assert_allclose(world["top left"], [5.3186730555556, 60.406251388889], atol=2.5e-5)
    assert found.notes == ("doc.kml turns the picture by 3.70887 degrees, which was taken as a turn on the ground.",)


def test_a_quadrilateral(tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    turned = Affine(0.1, 0.01, 100, 0.02, -0.1, 10)
    corners = world_of(turned, np.array([[0, 40], [60, 40], [60, 0], [0, 0]], np.float64))
    text = " ".join(f"{x!r},{y!r},0" for x, y in corners.tolist())
    overlay(tmp_path, f"<gx:LatLonQuad><coordinates>{text}</coordinates></gx:LatLonQuad>")
    assert_affine(read_placement(path), turned, "EPSG:4326")
    corners[1] += [0.5, -0.3]
    text = " ".join(f"{x!r},{y!r}" for x, y in corners.tolist())
    overlay(tmp_path, f"<gx:LatLonQuad><coordinates>{text}</coordinates></gx:LatLonQuad>")
    found = read_placement(path)
    assert found is not None
    assert not found.exact
    assert "--model projective" in found.notes[0]
    np.testing.assert_allclose(
        fit_georeference(found.gcps, "projective").transform.to_world([[0, 40], [60, 40], [60, 0], [0, 0]]), corners
    )


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        (box(6, 10, 106, 100), "has no area: north 6, south 10"),
        ("<LatLonBox><north>6</north></LatLonBox>", "needs numbers north, south, east, west"),
        ("<gx:LatLonQuad><coordinates>1,2 3,4 5,6</coordinates></gx:LatLonQuad>", "needs four corners"),
        ("", "has neither LatLonBox nor LatLonQuad"),
    ],
)
def test_broken_overlays_are_refused(place: str, sentence: str, tmp_path: Path) -> None:
    path = picture(tmp_path / "map.png")
    overlay(tmp_path, place)
    with pytest.raises(FileProblemError, match=rf"The ground overlay in doc\.kml {sentence}"):
        read_placement(path)


# ---------------------------------------------------------------- all together


def test_statements_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    path = geotiff(tmp_path / "map.tif", transform=UTM, crs="EPSG:32633")
    world_file(tmp_path / "map.tfw", UTM)
    assert_affine(read_placement(path), UTM, "EPSG:32633")
    # The slip of taking the first pixel's corner for its centre.
    world_file(tmp_path / "map.tfw", Affine(500, 0, 299750, 0, -500, 5600250))
    found = read_placement(path)
    assert found is not None
    assert found.notes == ("The world file map.tfw differs by 0.71 px and was not used.",)
    world_file(tmp_path / "map.tfw", Affine(500, 0, 301000, 0, -500, 5600000))
    with pytest.raises(InvalidInputError, match=r"GeoTIFF tags of map\.tif and the world file map\.tfw put .* 2 px"):
        read_placement(path)


def test_statements_in_two_reference_systems_are_compared(tmp_path: Path) -> None:
    path = geotiff(tmp_path / "map.tif", transform=DEGREES, crs="EPSG:4326")
    overlay(tmp_path, box(10, 6, 106 - 360, 100 - 360), "map.tif")
    assert_affine(read_placement(path), DEGREES, "EPSG:4326")
    overlay(tmp_path, box(10, 6, 116, 110), "map.tif")
    with pytest.raises(InvalidInputError, match=r"put map\.tif 100 px apart"):
        read_placement(path)


def test_reference_systems_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    path = geotiff(tmp_path / "map.tif", transform=UTM, crs="EPSG:32633")
    for same in ("EPSG:32633", "EPSG:25833"):
        sidecar(path, f"<SRS>{CRS(same).to_wkt('WKT1_GDAL')}</SRS>")
        (tmp_path / "map.prj").write_text(CRS(same).to_wkt("WKT1_ESRI"))
        assert_affine(read_placement(path), UTM, "EPSG:32633")
    sidecar(path, "<SRS>EPSG:32632</SRS>")
    with pytest.raises(InvalidInputError, match=r"tags of map\.tif and the reference system in map\.tif\.aux\.xml put"):
        read_placement(path)


def test_margins_beyond_the_poles(tmp_path: Path) -> None:
    matrix = Affine(7, 0, -210, 0, -5, 100)
    found = assert_affine(
        read_placement(geotiff(tmp_path / "map.tif", transform=matrix, crs="EPSG:4326")), matrix, "EPSG:4326"
    )
    assert is_geographic(found.gcps.crs)


@pytest.mark.parametrize("name", ["map.png", "map.jpg", "map.tif", "map.gif", "map.bmp", "map.webp"])
def test_a_picture_that_says_nothing(name: str, tmp_path: Path) -> None:
    assert read_placement(picture(tmp_path / name)) is None
    assert read_placement(tmp_path / name, crs="EPSG:4326") is None


def test_a_tiff_with_a_system_but_no_place_says_nothing(tmp_path: Path) -> None:
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        path = geotiff(tmp_path / "map.tif", crs="EPSG:4326")
    assert read_placement(path) is None


def test_turned_pictures_and_documents_say_nothing(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = picture(tmp_path / "map.jpg", exif=exif)
    world_file(tmp_path / "map.jgw", UTM)
    assert read_placement(path, crs="EPSG:32633") is None
    (tmp_path / "map.pdf").write_bytes(b"%PDF-1.4\n")
    world_file(tmp_path / "map.wld", UTM)
    assert read_placement(tmp_path / "map.pdf", crs="EPSG:32633") is None
    with pytest.raises(FileProblemError, match="There is no file"):
        read_placement(tmp_path / "none.png")

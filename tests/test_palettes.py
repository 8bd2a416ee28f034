"""Palette files of every format, written here and read back."""

import math
import shutil
import struct
import subprocess
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from geocbar.errors import FileProblemError, InvalidInputError, NotFoundError
from geocbar.files.palettes import read_palette

channel = st.integers(0, 255)
color_lists = st.lists(st.tuples(channel, channel, channel), min_size=2, max_size=20)
RED, GREEN, BLUE = [255, 0, 0], [0, 255, 0], [0, 0, 255]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("palettes")


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, name="p.txt"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_palette(path)

    return write_and_read


# lists of colours


@pytest.mark.parametrize(
    "text",
    [
        "#ff0000\n#00ff00\n#0000ff\n",
        "ff0000\n00FF00\n0000ff",
        "#f00 #0f0,#00f",
        '["#ff0000", "#00ff00", "#0000ff"]',
        "#ff0000cc\n#00ff00cc\n#0000ffcc\n",
        "255 0 0\n0 255 0\n0 0 255\n",
        "255,0,0\r\n0,255,0\r\n0,0,255\r\n",
        "1.0 0.0 0.0\n0 1 0\n0 0 1.0\n",
        "1,0,0,0.5\n0,1,0,0.5\n0,0,1,0.5\n",
        "255 0 0 255\n0 255 0 255\n0 0 255 255\n",
        "# three colours\n// here\n; and here\n\n255 0 0 # red\n0 255 0 // green\n0 0 255 ; blue\n",
        "#ff0000 # red\n#00ff00\n#0000ff\n",
        "\ufeff#ff0000\n#00ff00\n#0000ff",
        "#ff0000;#00ff00;#0000ff",
    ],
)
def test_color_lists(read, text):
    palette = read(text)
    assert palette.colors.tolist() == [RED, GREEN, BLUE]
    assert palette.positions is None
    assert not palette.has_values
    assert not palette.is_classes


def test_fractions_are_scaled_to_255(read):
    assert read("0.2 0.4 0.6\n0.8 1.0 0.0").colors == pytest.approx(np.array([[51, 102, 153], [204, 255, 0]]))


def test_utf16_list(read):
    assert read("#ff0000\n#00ff00".encode("utf-16")).colors.tolist() == [RED, GREEN]


# every format that is a list of colours, there and back


def as_gpl(colors):
    rows = "".join(f"{r:3d} {g:3d} {b:3d}\tcolour 9 9 9\n" for r, g, b in colors)
    return ("GIMP Palette\nName: test\nColumns: 3\n#\n" + rows).encode()


def as_jasc(colors):
    return "\r\n".join(["JASC-PAL", "0100", str(len(colors)), *(f"{r} {g} {b}" for r, g, b in colors), ""]).encode()


def as_riff(colors):
    data = struct.pack("<HH", 0x300, len(colors)) + b"".join(bytes([*color, 0]) for color in colors)
    return b"RIFF" + struct.pack("<I", len(data) + 12) + b"PAL data" + struct.pack("<I", len(data)) + data


def as_act(colors):
    return b"".join(map(bytes, colors)).ljust(768, b"\0") + struct.pack(">HH", len(colors), 0xFFFF)


def as_hex(colors):
    return "\n".join("#{:02x}{:02x}{:02x}".format(*color) for color in colors).encode()


def as_preset(colors):
    options = "".join(
        f'<Option name="preset_color_{i}" type="QString" value="{r},{g},{b},255"/>'
        for i, (r, g, b) in enumerate(colors)
    )
    return f'<colorramp type="preset" name="x"><Option type="Map">{options}</Option></colorramp>'.encode()


WRITERS = [as_gpl, as_jasc, as_riff, as_act, as_hex, as_preset]


@given(color_lists, st.sampled_from(WRITERS))
def test_lists_come_back(folder, colors, write):
    path = folder / "list.dat"
    path.write_bytes(write(colors))
    assert read_palette(path).colors.tolist() == [list(color) for color in colors]


def test_act_of_768_bytes_has_256_colors(read):
    colors = np.random.default_rng(1).integers(0, 256, (256, 3), dtype=np.uint8)
    assert np.array_equal(read(colors.tobytes(), "p.act").colors, colors)
    text = bytes([65]) * 768
    assert len(read(text, "p.act").colors) == 256


# palettes with values, there and back


def as_cpt(values, colors):
    nodes = [f"{v!r} {r}/{g}/{b}" for v, (r, g, b) in zip(values, colors, strict=True)]
    return "".join(f"{a}\t{b}\n" for a, b in pairwise(nodes))


def as_qgis(values, colors, kind="INTERPOLATED"):
    rows = "".join(f"{v!r},{r},{g},{b},255,at {v}, more\n" for v, (r, g, b) in zip(values, colors, strict=True))
    return f"# QGIS Generated Color Map Export File\nINTERPOLATION:{kind}\n{rows}"


def as_qml(values, colors, kind="INTERPOLATED"):
    items = "".join(
        f'<item value="{v!r}" color="#{r:02x}{g:02x}{b:02x}" label="{v}" alpha="255"/>'
        for v, (r, g, b) in zip(values, colors, strict=True)
    )
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n<qgis version=\"3.34\"><pipe>"
        '<rasterrenderer type="singlebandpseudocolor"><rastershader>'
        f'<colorrampshader colorRampType="{kind}" classificationMode="1">'
        '<colorramp type="gradient"><Option type="Map"><Option name="color1" value="1,2,3,255"/></Option></colorramp>'
        f"{items}</colorrampshader></rastershader></rasterrenderer></pipe></qgis>"
    )


def as_esri(values, colors):
    return "".join(f"{v!r} {r} {g} {b}\n" for v, (r, g, b) in zip(values, colors, strict=True))


@given(
    color_lists.filter(lambda colors: len(set(colors)) > 1),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e5),
    st.sampled_from([(as_cpt, "p.cpt"), (as_cpt, "p.txt"), (as_qgis, "p.txt"), (as_qml, "p.qml"), (as_esri, "p.clr")]),
)
def test_values_come_back(folder, colors, start, step, form):
    write, name = form
    values = [start + step * i for i in range(len(colors))]
    path = folder / name
    path.write_text(write(values, colors))
    palette = read_palette(path)
    assert palette.has_values
    assert not palette.is_classes
    assert palette.positions.tolist() == values
    assert palette.colors.tolist() == [list(color) for color in colors]
    assert not palette.colors.flags.writeable


# GMT


def test_cpt_jump_is_kept(read):
    palette = read("# comment\n0 red 10 blue\n10 white 30 black L ; label\nB 1/2/3\nF 4 5 6\nN -\n", "p.cpt")
    assert palette.colors.tolist() == [RED, BLUE, [255] * 3, [0] * 3]
    assert palette.positions.tolist() == pytest.approx([0, 10, 10, 30])
    assert 0 < palette.positions[2] - palette.positions[1] <= 1.0001e-9 * 30
    assert (palette.background, palette.foreground, palette.nan) == ((1, 2, 3), (4, 5, 6), None)


def test_cpt_of_single_colors_is_classes(read):
    palette = read("-5 red 0 red ;low\n0 0/0/255 10 0/0/255 L ;high\n10 lime 12 lime U;top", "p.cpt")
    assert palette.is_classes
    assert palette.edges.tolist() == [-5, 0, 10, 12]
    assert palette.positions.tolist() == [-2.5, 5, 11]
    assert palette.labels == ("low", "high", "top")


@pytest.mark.parametrize(
    ("spelling", "color"),
    [
        ("255/127.5/0", [255, 127.5, 0]),
        ("255 127 0", [255, 127, 0]),
        ("128", [128, 128, 128]),
        ("#0a0b0c", [10, 11, 12]),
        ("120-1-0.5", [0, 127.5, 0]),
        ("0/100/50/10", [229.5, 0, 114.75]),
        ("green", GREEN),
        ("DarkOrange3", [205, 102, 0]),
        ("blue@50", BLUE),
    ],
)
def test_cpt_color_spellings(read, spelling, color):
    white = "255 255 255" if " " in spelling else "white"
    palette = read(f"0 {spelling} 1 {white}\n1 {white} 2 {spelling}\n", "p.cpt")
    assert palette.colors[0] == pytest.approx(color)
    assert palette.colors[2] == pytest.approx(color)


def test_cpt_cmyk_columns(read):
    palette = read("# COLOR_MODEL = CMYK\n0 0 100 50 10 50 50 0 0 0\n", "p.cpt")
    assert palette.colors == pytest.approx(np.array([[229.5, 0, 114.75], [127.5, 255, 255]]))


@pytest.mark.parametrize("model", ["HSV", "hsv", "+HSV"])
@pytest.mark.parametrize("line", ["0 0-1-1 360 360-1-1", "0 0 1 1 360 360 1 1"])
def test_cpt_hsv_goes_round_the_hues(read, model, line):
    palette = read(f"# COLOR_MODEL = {model}\n{line}\n", "p.cpt")
    for hue, color in ((60, [255, 255, 0]), (120, GREEN), (210, [0, 127.5, 255]), (300, [255, 0, 255])):
        assert [np.interp(hue, palette.positions, palette.colors[:, k]) for k in range(3)] == pytest.approx(color)


@pytest.mark.parametrize(
    ("comments", "middle"),
    [("# RANGE = -50/100", 25), ("# RANGE = -50/100\n# HARD_HINGE", 0), ("# RANGE = -50/100\n# SOFT_HINGE", 25)],
)
def test_cpt_range_and_hinge(read, comments, middle):
    palette = read(f"{comments}\n-1 red 0 blue\n0 blue 1 white\n", "p.cpt")
    assert palette.positions.tolist() == [-50, middle, 100]


def test_cpt_running_down_is_turned_round(read):
    palette = read("20 red 10 blue\n10 blue 0 white", "p.cpt")
    assert palette.positions.tolist() == [0, 10, 20]
    assert palette.colors.tolist() == [[255] * 3, BLUE, RED]


def test_cpt_categories(read):
    palette = read("4 red ;sand\n1 0/0/255 ;water\n2 lime ;forest\nN gray\n", "p.cpt")
    assert palette.positions.tolist() == [1, 2, 4]
    assert palette.edges.tolist() == [0.5, 1.5, 3, 5]
    assert palette.labels == ("water", "forest", "sand")
    assert palette.nan == (190, 190, 190)
    words = read("water\tblue\tL\t;water\nbare rock\tred\tB\n", "p.cpt")
    assert not words.has_values
    assert words.labels == ("water", "bare rock")
    assert words.edges.tolist() == [-0.5, 0.5, 1.5]


@pytest.mark.parametrize(
    ("text", "wording"),
    [
        ("0 red 1 blue\n1 blue 2\n", "Line 2 of p.cpt cannot be read: '1 blue 2'"),
        ("0 red 1 nonesuch\n", "Line 1 of p.cpt cannot be read: '0 red 1 nonesuch'"),
        ("0 300/0/0 1 blue\n", "Line 1 of p.cpt"),
        ("0 red 1 blue\n2 blue 3 red\n", "Line 2 of p.cpt.*\n.*its neighbour ends at 1"),
        ("0 red 1 blue\n1 blue 0 red\n", "Line 2 of p.cpt.*\n.*run one way"),
        ("0 red 1 red\n", "p.cpt holds 1 colour; a palette takes at least 2"),
        ("0 red 1 p200+r300\n", "Line 1 of p.cpt paints a pattern"),
        ("# RANGE = 5/2\n0 red 1 blue\n", "Line 1 of p.cpt.*\n.*RANGE = lowest/highest"),
        ("# COLOR_MODEL = LAB\n0 red 1 blue\n", "Line 1 of p.cpt.*\n.*RGB, HSV or CMYK"),
        ("# only a comment\nB black\n", "p.cpt holds no colours"),
        ("0 red\n1 blue\n1 red 2 blue\n", "Line 3 of p.cpt.*\n.*either classes"),
        ("1 red\n1 blue\n", "class limits of p.cpt do not increase"),
    ],
)
def test_broken_cpt(read, text, wording):
    with pytest.raises(InvalidInputError, match=wording):
        read(text, "p.cpt")


def gmt(*arguments):
    if shutil.which("gmt") is None:
        pytest.skip("GMT (the command gmt) is not installed")
    return subprocess.run(["gmt", *arguments], capture_output=True, text=True, check=True).stdout


def slices(table):
    rows = [line.split("\t") for line in table.splitlines() if line[:1] not in "#BFN"]
    return [(float(r[0]), float(r[2]), *(np.array(r[k].split("/"), float) for k in (1, 3))) for r in rows]


@pytest.mark.parametrize(
    "master",
    ["geo", "jet", "globe", "haxby", "polar", "relief", "seis", "turbo", "drywet", "viridis", "etopo1", "no_green"],
)
def test_cpt_agrees_with_gmt(read, master):
    # The table with its colour names and whatever layout GMT writes, against the same in plain r/g/b.
    palette = read(gmt("makecpt", f"-C{master}"), "p.cpt")
    plain = slices(gmt("makecpt", f"-C{master}", "-Fr"))
    for low, high, begin, end in plain:
        for share in (0.02, 0.5, 0.98):
            value, color = low + share * (high - low), begin + share * (end - begin)
            if palette.is_classes:
                ours = palette.colors[np.searchsorted(palette.edges, value) - 1]
            else:
                ours = [np.interp(value, palette.positions, palette.colors[:, k]) for k in range(3)]
            assert ours == pytest.approx(color, abs=0.01)


@pytest.mark.parametrize("master", ["rainbow", "cyclic", "nighttime"])
def test_cpt_in_hsv_agrees_with_gmt(read, master):
    palette = read(gmt("makecpt", f"-C{master}", "-T0/1"), "p.cpt")
    for low, high, color, _ in slices(gmt("makecpt", f"-C{master}", "-T0/1/0.01", "-Fr")):
        ours = [np.interp((low + high) / 2, palette.positions, palette.colors[:, k]) for k in range(3)]
        assert ours == pytest.approx(color, abs=0.5)


def test_cpt_categories_agree_with_gmt(read):
    palette = read(gmt("makecpt", "-Ccategorical", "-T0/7/1"), "p.cpt")
    plain = [line.split("\t") for line in gmt("makecpt", "-Ccategorical", "-T0/7/1", "-Fr").splitlines()]
    keyed = [(float(row[0]), [float(part) for part in row[1].split("/")]) for row in plain if row[0][0] not in "#BFN"]
    assert palette.positions.tolist() == [key for key, _ in keyed]
    assert palette.colors.tolist() == [color for _, color in keyed]


def test_color_names_agree_with_gmt(read):
    names = "green,purple,gray,maroon,navy,gray50,tan4,lightred,darkyellow,hotpink3,antiquewhite1,orchid,crimson4"
    names = names.rpartition(",")[0]
    count = names.count(",") + 1
    palette = read(gmt("makecpt", f"-C{names}", f"-T0/{count}/1"), "p.cpt")
    plain = slices(gmt("makecpt", f"-C{names}", f"-T0/{count}/1", "-Fr"))
    assert palette.colors.tolist() == [begin.tolist() for _, _, begin, _ in plain]


# QGIS


@pytest.mark.parametrize("write", [as_qgis, as_qml])
def test_qgis_discrete_is_open_below_and_above(read, write):
    palette = read(write([10.0, 20.0, math.inf], [RED, GREEN, BLUE], "DISCRETE"))
    assert palette.edges.tolist() == [-math.inf, 10, 20, math.inf]
    assert palette.positions.tolist() == [5, 15, 25]
    assert palette.colors.tolist() == [RED, GREEN, BLUE]
    assert len(palette.labels) == 3
    closed = read(write([10.0, 20.0, 50.0], [RED, GREEN, BLUE], "DISCRETE"))
    assert closed.edges.tolist() == [-math.inf, 10, 20, 50]


def test_qgis_exact_and_paletted(read):
    palette = read(as_qgis([5, 1, 2], [RED, GREEN, BLUE], "EXACT"))
    assert palette.positions.tolist() == [1, 2, 5]
    assert palette.edges.tolist() == [0.5, 1.5, 3.5, 6.5]
    assert palette.colors.tolist() == [GREEN, BLUE, RED]
    paletted = read(
        '<qgis><rasterrenderer type="paletted"><colorPalette><paletteEntry value="1" color="#00ff00" label="a"/>'
        '<paletteEntry value="2" color="#0000ff" label="b"/></colorPalette></rasterrenderer></qgis>',
        "p.qml",
    )
    assert paletted.edges.tolist() == [0.5, 1.5, 2.5]
    assert paletted.labels == ("a", "b")


def ramp(stops, form="Option", extra=None, color1="0,0,0,255", color2="255,255,255,255"):
    properties = {"color1": color1, "color2": color2, "stops": stops, "discrete": "0", "rampType": "gradient"}
    properties |= extra or {}
    if form == "prop":
        body = "".join(f'<prop k="{k}" v="{v}"/>' for k, v in properties.items())
    else:
        body = "".join(f'<Option name="{k}" value="{v}" type="QString"/>' for k, v in properties.items())
        body = f'<Option type="Map">{body}</Option>'
    return f'<colorramp type="gradient" name="test">{body}</colorramp>'


@pytest.mark.parametrize("form", ["Option", "prop"])
@pytest.mark.parametrize(
    "stops",
    [
        "0.25;255,0,0,255:0.5;0,0,255,255",
        "0.25;255,0,0,255;rgb;ccw:0.5;0,0,255,255;rgb;ccw",
        "0.25;255,0,0,255,rgb:1,0,0,1;rgb;ccw:0.5;0,0,255,255,rgb:0,0,1,1;rgb;ccw",
    ],
)
def test_qgis_ramp(read, stops, form):
    palette = read(ramp(stops, form, color1="0,0,0,255,rgb:0,0,0,1"))
    assert palette.positions.tolist() == [0, 0.25, 0.5, 1]
    assert palette.colors.tolist() == [[0] * 3, RED, BLUE, [255] * 3]
    assert not palette.has_values


def test_qgis_ramp_in_steps(read):
    palette = read(ramp("0.25;255,0,0,255:0.5;0,0,255,255", extra={"discrete": "1"}))
    assert palette.edges.tolist() == [0, 0.25, 0.5, 1]
    assert palette.colors.tolist() == [[0] * 3, RED, BLUE]


@pytest.mark.parametrize(("direction", "middle"), [("ccw", GREEN), ("cw", [255, 0, 255])])
@pytest.mark.parametrize("space", ["hsv", "hsl"])
def test_qgis_ramp_over_hues(read, space, direction, middle):
    # Red to blue: through green counter-clockwise (hue 0 to 240), through magenta clockwise (360 to 240).
    text = ramp("", extra={"spec": space, "direction": direction}, color1="255,0,0,255", color2="0,0,255,255")
    palette = read(text)
    assert [np.interp(0.5, palette.positions, palette.colors[:, k]) for k in range(3)] == pytest.approx(middle)


def test_qgis_library_gives_its_first_ramp(read):
    first, second = ramp("0.5;255,0,0,255"), ramp("0.7;0,0,255,255")
    palette = read(
        f"<!DOCTYPE qgis_style>\n<qgis_style><symbols/><colorramps>{first}{second}</colorramps></qgis_style>"
    )
    assert palette.positions.tolist() == [0, 0.5, 1]


@pytest.mark.parametrize(
    ("text", "error", "wording"),
    [
        ("<qgis_style><colorramps/></qgis_style>", NotFoundError, "neither a raster colour map nor a colour ramp"),
        (
            '<colorramp type="cpt-city" name="x"><prop k="schemeName" v="cb/div/BrBG"/></colorramp>',
            NotFoundError,
            "'cb/div/BrBG' of p.txt is of type 'cpt-city': the file names its colours but does not hold them",
        ),
        ("<qgis><item", InvalidInputError, "p.txt is not well-formed XML"),
        ('<!DOCTYPE q [<!ENTITY a "b">]><q>&a;</q>', InvalidInputError, "p.txt declares XML entities"),
        (ramp("half;255,0,0,255"), InvalidInputError, "stop of the ramp in p.txt cannot be read: 'half;255,0,0,255'"),
        (ramp("", color1="red-ish"), InvalidInputError, "color1 of the ramp in p.txt is no colour: 'red-ish'"),
        (as_qml([1, 2], [RED, BLUE]).replace("#0000ff", "#00"), InvalidInputError, "entry of p.txt cannot be read"),
        (as_qml([1], [RED]), InvalidInputError, "p.txt holds 1 colour"),
        (
            "INTERPOLATION:SPLINE\n1,2,3,4,255,x",
            InvalidInputError,
            "Line 1 of p.txt.*\n.*INTERPOLATED, DISCRETE, EXACT",
        ),
        (as_qgis([1, 2], [RED, BLUE]) + "3,oops\n", InvalidInputError, "Line 5 of p.txt cannot be read: '3,oops'"),
        (as_qgis([1, math.inf], [RED, BLUE]), InvalidInputError, "infinite value .* INTERPOLATED"),
        (as_qgis([1, 1], [RED, BLUE], "DISCRETE"), InvalidInputError, "1 is followed by 1"),
        (as_qgis([1, 1], [RED, BLUE]), InvalidInputError, "positions of p.txt, 1 to 1, do not run one way"),
    ],
)
def test_broken_qgis(read, text, error, wording):
    with pytest.raises(error, match=wording):
        read(text)


# GIMP gradients


def gradient(*segments):
    return f"GIMP Gradient\nName: test\n{len(segments)}\n" + "\n".join(segments) + "\n"


def at(palette, place):
    return [np.interp(place, palette.positions, palette.colors[:, k]) for k in range(3)]


def test_ggr_linear_with_shifted_middle(read):
    palette = read(gradient("0 0.2 0.5 0 0 0 1 1 1 1 1 0 0 0 0", "0.5 0.75 1 1 1 1 1 1 0 0 1 0 0"))
    assert palette.positions == pytest.approx([0, 0.2, 0.5, 0.75, 1])
    assert palette.colors[:, 1] == pytest.approx([0, 127.5, 255, 127.5, 0])


@pytest.mark.parametrize(
    ("blending", "quarter", "half"),
    [
        (0, 0.25, 0.5),
        (1, 0.25, 0.5),
        (2, (1 - math.cos(math.pi / 4)) / 2, 0.5),
        (3, math.sqrt(1 - 0.75**2), math.sqrt(0.75)),
        (4, 1 - math.sqrt(1 - 0.25**2), 1 - math.sqrt(0.75)),
        (5, 0, 0),
    ],
)
def test_ggr_blending(read, blending, quarter, half):
    palette = read(gradient(f"0 0.5 1 0 0 0 1 1 1 1 1 {blending} 0"))
    assert at(palette, 0.25)[0] == pytest.approx(255 * quarter)
    assert at(palette, 0.5)[0] == pytest.approx(255 * half)
    assert at(palette, 1) == [255] * 3


def test_ggr_curved_passes_half_at_its_middle(read):
    palette = read(gradient("0 0.3 1 0 0 0 1 1 1 1 1 1 0"))
    assert at(palette, 0.3)[0] == pytest.approx(127.5)
    assert at(palette, 0.6)[0] == pytest.approx(255 * 0.6 ** (math.log(0.5) / math.log(0.3)), abs=0.1)


@pytest.mark.parametrize(("coloring", "middle"), [(0, [127.5, 0, 127.5]), (1, GREEN), (2, [255, 0, 255])])
def test_ggr_coloring(read, coloring, middle):
    palette = read(gradient(f"0 0.5 1 1 0 0 1 0 0 1 1 0 {coloring}"))
    assert at(palette, 0.5) == pytest.approx(middle)


# ESRI and Surfer


def test_esri_clr_takes_any_order(read):
    palette = read("3 0 0 255\n1 255 0 0\n2 0 255 0\n", "p.clr")
    assert palette.positions.tolist() == [1, 2, 3]
    assert palette.colors.tolist() == [RED, GREEN, BLUE]
    assert palette.has_values


def test_value_tables_are_recognised_without_the_extension(read):
    palette = read("-100 0 0 255\n0.5 0 255 0\n2000 255 0 0\n")
    assert palette.positions.tolist() == [-100, 0.5, 2000]
    assert read("1 255 0 0 255\n2 0 0 255 255\n").positions.tolist() == [1, 2]


@pytest.mark.parametrize(
    "text",
    [
        "ColorMap 1 1\n0 255 0 0\n50 0 255 0\n50 0 0 255\n100 0 0 0\n",
        "ColorMap 2 1\n0 255 0 0 255\n50 0 255 0 255\n50 0 0 255 255\n100 0 0 0 255\n",
        "ColorMap 3 0 4 2\n0 255 0 0 255\n50 0 255 0 255\n50 0 0 255 255\n100 0 0 0 255\n0 1\n100 1\n",
    ],
)
def test_surfer_clr(read, text):
    palette = read(text, "p.clr")
    assert palette.positions == pytest.approx([0, 0.5, 0.5, 1])
    assert 0 < palette.positions[2] - palette.positions[1] <= 1.0001e-9
    assert palette.colors.tolist() == [RED, GREEN, BLUE, [0] * 3]
    assert not palette.has_values


# what is refused


@pytest.mark.parametrize(
    ("content", "name", "wording"),
    [
        ("#ff0000\n#00ff0\n", "p.txt", "Line 2 of p.txt cannot be read: '#00ff0'"),
        ("#ff0000\nblue-ish\n", "p.txt", "Line 2 of p.txt cannot be read: 'blue-ish'\\.\n  Expected: a colour"),
        ("255 0 0\n256 0 0\n", "p.txt", "Line 2 of p.txt cannot be read: '256 0 0'"),
        ("255 0 0\n0 0\n", "p.txt", "Line 2 of p.txt cannot be read: '0 0'"),
        ("255 0 0\n#00ff00\n", "p.txt", "Line 2 .*\n.*hex colours only, or numbers only"),
        ("255 0 0\n", "p.txt", "p.txt holds 1 colour; a palette takes at least 2"),
        ("255 nan 0\n0 0 0\n", "p.txt", "Line 1 of p.txt"),
        ("Dear reader,\nno colours here.\n", "p.txt", "not a palette of a known format.\n.*GMT .cpt.*QGIS .qml"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\0", "p.png", "p.png is not a palette of a known format"),
        ("GIMP Palette\nName: x\n1 2 3\n1 2 red\n", "p.gpl", "Line 4 of p.gpl cannot be read: '1 2 red'"),
        ("GIMP Palette\nName: x\n1 2 3 one\n", "p.gpl", "p.gpl holds 1 colour"),
        ("JASC-PAL\n0100\n3\n1 2 3\n4 5 6\n", "p.pal", "p.pal announces 3 colours and holds 2"),
        ("JASC-PAL\n0100\nmany\n", "p.pal", "Line 3 of p.pal"),
        ("JASC-PAL\n0100\n2\n1 2 3\n4 5 600\n", "p.pal", "Line 5 of p.pal cannot be read: '4 5 600'"),
        ("1 2 3 4\n2 3 4\n", "p.clr", "Line 2 of p.clr cannot be read: '2 3 4'.\n  Expected: 4 numbers"),
        ("ColorMap 1 1\n0 1 2 3\n120 4 5 6\n", "p.clr", "Line 3 of p.clr cannot be read: '120 4 5 6'"),
        ("ColorMap 9 1\n0 1 2 3\n", "p.clr", "Line 1 of p.clr"),
        ("ColorMap 3 7 2 0\n0 1 2 3\n100 4 5 6\n", "p.clr", "Surfer's method 7"),
        (gradient("0 0.5 1 0 0 0"), "p.ggr", "Line 4 of p.ggr"),
        (gradient("0 0.5 1 0 0 0 1 1 1 2 1 0 0"), "p.ggr", "Line 4 of p.ggr.*\n.*colours in 0 to 1"),
        (gradient("0 .1 .2 0 0 0 1 1 1 1 1 0 0", ".5 .6 1 0 0 0 1 1 1 1 1 0 0"), "p.ggr", "begins at 0.2"),
        ("GIMP Gradient\nName: x\n2\n0 0.5 1 0 0 0 1 1 1 1 1 0 0\n", "p.ggr", "announces 2 segments and holds 1"),
    ],
)
def test_broken_files(read, content, name, wording):
    with pytest.raises(InvalidInputError, match=wording):
        read(content, name)


def test_a_long_line_is_shortened(read):
    with pytest.raises(InvalidInputError, match=r"'x{77}\.\.\.'"):
        read("#ff0000\n" + "x" * 500)


def test_files_that_cannot_be_read(read, tmp_path):
    with pytest.raises(FileProblemError, match=r"There is no file .*none.cpt"):
        read_palette(tmp_path / "none.cpt")
    with pytest.raises(FileProblemError, match="cannot be read: Is a directory"):
        read_palette(str(tmp_path))
    for blank in (b"", b" \n\n"):
        with pytest.raises(FileProblemError, match=r"p.cpt is empty"):
            read(blank, "p.cpt")
    with pytest.raises(FileProblemError, match=r"p.act has 500 bytes; an Adobe colour table has 768 or 772"):
        read(bytes(500), "p.act")
    with pytest.raises(FileProblemError, match="announces 3 colours and holds 2"):
        read(as_riff([RED, GREEN, BLUE])[:-1], "p.pal")
    with pytest.raises(FileProblemError, match="RIFF palette without colours"):
        read(b"RIFF\0\0\0\0PAL ", "p.pal")
    with (tmp_path / "big.cpt").open("wb") as big:
        big.truncate(17 * 2**20)
    with pytest.raises(FileProblemError, match=r"big.cpt has 17 MB; a palette has at most 16 MB"):
        read_palette(tmp_path / "big.cpt")


def test_a_picture_is_no_palette(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "map.png")
    with pytest.raises(InvalidInputError, match=r"map.png is not a palette of a known format"):
        read_palette(tmp_path / "map.png")

/* The picker: puts viewer, tools and panels together. */

import { get, upload } from "./api.js";
import { act, changed, chosenPoint, complain, follow, onChange, store, take } from "./store.js";
import { drawLayers, refreshMask, shown } from "./layers.js";
import { live, useTools } from "./tools.js";
import { focusPlace, shortened, usePoints } from "./points.js";
import { useMagnifier } from "./magnifier.js";
import { usePanels } from "./panels.js";
import { useRun } from "./run.js";
import { useWorld } from "./world.js";
import { Viewer } from "./viewer.js";

const $ = (id) => document.getElementById(id);
const HINTS = {
  points: () => { const p = chosenPoint(); return p && !p.world ? `Where is point ${p.name}? Type its longitude and latitude, or click it on the world map.` : ""; },
  bar: () => ({ tick: "Click a tick of the bar.", box: "Drag over the coloured part of the bar." })[store.mode] ?? "",
  frame: () => (store.mode === "box" ? "Drag from corner to corner of the map's frame." : ""),
  background: () => "Click a colour that is no data.",
  mask: () => "",
};

const viewer = new Viewer($("view"), (c) => drawLayers(c, viewer, live));
const magnify = useMagnifier(viewer);
let asked = null, asking = false, touched = null;

/* The value under the cursor: one request at a time, always for the latest place. */
async function probe(place) {
  touched = place;
  magnify(place && store.tool !== "mask" ? place : null, store.state.points);
  asked = place;
  if (asking) return;
  asking = true;
  while (asked) {
    const [x, y] = asked;
    asked = null;
    const told = await get("probe", { x, y }).catch(() => null);
    if (told && touched) tell(x, y, told);
  }
  asking = false;
  if (!touched) $("probe").replaceChildren();
}

function tell(x, y, told) {
  const part = (...children) => { const span = document.createElement("span"); span.append(...children); return span; };
  const strong = (text) => { const b = document.createElement("b"); b.textContent = text; return b; };
  const out = [part(`${x.toFixed(1)}, ${y.toFixed(1)} px`)];
  if (told.color) {
    const chip = document.createElement("i");
    chip.style.background = told.color;
    const unit = told.unit ? ` ${told.unit}` : "";
    const value = told.value === undefined ? told.reason ?? "" : `${shortened(told.value, 5)} ± ${shortened(told.sigma ?? 0, 2)}${unit}`;
    out.push(part(chip, strong(value), told.value !== undefined && told.reason ? ` ${told.reason}` : ""));
  }
  if (told.world) {
    const [lon, lat] = told.world;
    const degrees = store.state.degrees;
    const said = degrees ? `${shortened(Math.abs(lon), 6)}°${lon < 0 ? "W" : "E"} ${shortened(Math.abs(lat), 6)}°${lat < 0 ? "S" : "N"}` : `${shortened(lon, 8)}, ${shortened(lat, 8)}`;
    out.push(part(strong(said), told.off_km === null ? "" : ` ± ${shortened(told.off_km, 2)} km`));
  }
  if (told.from_run) out.push(part("from the run"));
  $("probe").replaceChildren(...out);
}

function showPanel(name) {
  for (const panel of document.querySelectorAll("[data-panel]")) panel.hidden = panel.dataset.panel !== name;
}

function useTool(name) {
  store.tool = name;
  store.mode = "";
  for (const button of document.querySelectorAll("[data-tool]")) button.setAttribute("aria-pressed", String(button.dataset.tool === name));
  $("view").classList.toggle("brush", name === "mask");
  showPanel(name);
  changed();
}

const points = usePoints(viewer);
const showWorld = await useWorld(viewer);
const showPanels = usePanels(viewer);
const showRun = useRun(showPanel);
useTools(viewer, { onProbe: probe, afterAdd: focusPlace, focusPlace });

onChange(({ state }) => {
  if (!state) return;
  viewer.show(state.map);
  document.title = `${state.map.name}: geocbar picker`;
  $("map-name").textContent = state.map.name;
  $("undo").disabled = !state.can_undo;
  $("redo").disabled = !state.can_redo;
  $("saved").textContent = state.problem || (state.saved ? `saved ${state.saved}` : "");
  $("saved").title = state.problem ? "" : `Saved beside the map: ${state.files.join(", ")}`;
  $("saved").classList.toggle("bad", Boolean(state.problem));
  $("hint").textContent = HINTS[store.tool]();
  points.show();
  showPanels();
  showRun();
  showWorld();
  refreshMask(() => viewer.redraw());
  viewer.redraw();
});

for (const button of document.querySelectorAll("[data-tool]")) button.addEventListener("click", () => useTool(button.dataset.tool));
$("undo").addEventListener("click", () => act("undo"));
$("redo").addEventListener("click", () => act("redo"));
$("zoom-in").addEventListener("click", () => viewer.zoom(1.5));
$("zoom-out").addEventListener("click", () => viewer.zoom(1 / 1.5));
$("zoom-fit").addEventListener("click", () => viewer.fit());
for (const key of ["coast", "graticule", "marks"]) $(`show-${key}`).addEventListener("change", (event) => { shown[key] = event.target.checked; viewer.redraw(); });

const TOOLS = { p: "points", b: "bar", f: "frame", g: "background", m: "mask" };
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input:not([type=checkbox]):not([type=radio]):not([type=range]), select, textarea");
  const key = event.key.toLowerCase();
  if ((event.ctrlKey || event.metaKey) && (key === "z" || key === "y") && !typing) {
    event.preventDefault();
    const back = key === "z" && !event.shiftKey;
    if (store.state?.[back ? "can_undo" : "can_redo"]) act(back ? "undo" : "redo");
  } else if (TOOLS[key] && !typing && !event.ctrlKey && !event.metaKey && !event.altKey && !$("report").open) useTool(TOOLS[key]);
});

addEventListener("dragover", (event) => { event.preventDefault(); $("drop").hidden = false; });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) $("drop").hidden = true; });
addEventListener("drop", async (event) => {
  event.preventDefault();
  $("drop").hidden = true;
  const file = event.dataTransfer.files[0];
  if (!file) return;
  try { await upload(file); location.reload(); } catch (error) { complain(error); }
});

// For tests and measurements: where things are on the page.
window.picker = { viewer, store, live };

try {
  take(await get("state"));
  follow();
} catch (error) {
  complain(error);
}

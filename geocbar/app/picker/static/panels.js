/* The panels of bar, frame, background and mask. */

import { act, changed, store } from "./store.js";
import { live } from "./tools.js";

const $ = (id) => document.getElementById(id);
const item = (text, name = "") => { const li = document.createElement("li"); li.textContent = text; if (name) li.className = name; return li; };
const set = (field, value) => { if (document.activeElement !== field) field.value = value; };

export function usePanels(viewer) {
  const title = () => act("title", { name: $("quantity").value, unit: $("unit").value });
  $("quantity").addEventListener("change", title);
  $("unit").addEventListener("change", title);
  $("scale").addEventListener("change", (event) => act("scale", { scale: event.target.value }));
  $("ticks-confirm").addEventListener("click", () => act("ticks_confirm"));
  $("bar-found").addEventListener("click", () => act("bar_as_found"));
  for (const [id, mode] of [["tick-add", "tick"], ["bar-draw", "box"], ["frame-draw", "box"]]) {
    $(id).addEventListener("click", () => { store.mode = store.mode === mode ? "" : mode; changed(); viewer.canvas.focus({ preventScroll: true }); });
  }
  $("colormap-take").addEventListener("click", () => act("colormap", { colormap: $("colormap").value.trim(), vmin: $("vmin").value, vmax: $("vmax").value }));
  $("frame-none").addEventListener("click", () => act("frame", { frame: "none" }));
  $("frame-found").addEventListener("click", () => act("frame", { frame: "found" }));
  $("search-background").addEventListener("change", (event) => act("search_background", { on: event.target.checked }));
  $("mask-clear").addEventListener("click", () => act("mask_clear"));
  for (const radio of document.querySelectorAll("[name=brush]")) radio.addEventListener("change", () => { live.code = Number(radio.value); });
  const size = () => {
    live.radius = radiusOf(Number($("radius").value));
    $("radius-said").textContent = `${+(2 * live.radius).toPrecision(3)} px across`;
    viewer.redraw();
  };
  $("radius").addEventListener("input", size);
  let map = "";
  return () => {
    if (store.state.map.id !== map) { map = store.state.map.id; size(); }
    showBar(); showFrame(); showBackground();
    for (const [id, mode, tool] of [["tick-add", "tick", "bar"], ["bar-draw", "box", "bar"], ["frame-draw", "box", "frame"]]) {
      $(id).setAttribute("aria-pressed", String(store.mode === mode && store.tool === tool));
    }
  };
}

/* From a pixel to a tenth of the picture, evenly by factors. */
const radiusOf = (slider) => {
  const most = store.state ? Math.max(store.state.map.width, store.state.map.height) / 10 : 100;
  return 0.5 * (2 * most) ** ((slider - 1) / 99);
};

function showBar() {
  const { state } = store;
  const { bar } = state;
  const out = $("bar-state");
  if (state.reading) out.textContent = "Looking at the figure …";
  else if (state.colormap) out.textContent = `Colours of ${state.colormap}.`;
  else if (!bar) out.textContent = state.figure_message || "No colour bar was found. Draw its box, or name a colormap below.";
  else if (bar.by_hand) out.textContent = `${bar.ticks.filter((t) => t.value !== null).length} ticks, yours.`;
  else out.textContent = bar.certain ? `Read for certain: ${bar.ticks.length} ticks.` : "Not read for certain: correct the ticks, or say that they are right.";
  out.className = !state.reading && (bar?.certain || state.colormap) ? "sure" : "unsure";
  const doubts = bar?.doubts ?? [];
  const missing = !state.reading && state.figure_message && !doubts.length ? [state.figure_message] : [];
  $("bar-doubts").replaceChildren(...[...doubts, ...missing].map((d) => item(d, "bad")), ...(bar && !bar.by_hand ? bar.evidence.map((e) => item(e)) : []));
  set($("quantity"), state.quantity === "value" ? "" : state.quantity);
  set($("unit"), state.unit);
  if (![...$("scale").options].some((o) => o.value === state.scale)) $("scale").append(new Option(state.scale));
  set($("scale"), state.scale);
  $("scale-found").textContent = state.scale === "auto" && state.scale_found !== "auto" ? `read as ${state.scale_found}` : "";
  for (const [id, value] of [["colormap", state.colormap], ["vmin", state.vmin ?? ""], ["vmax", state.vmax ?? ""]]) if (state.colormap) set($(id), value);
  $("ticks-confirm").hidden = !bar || bar.certain;
  $("ticks").hidden = !bar;
  $("bar-found").disabled = !(bar?.by_hand || bar?.box_by_hand);
  showTicks(bar?.ticks ?? []);
}

function showTicks(ticks) {
  const body = $("tick-rows");
  while (body.rows.length > ticks.length) body.deleteRow(-1);
  while (body.rows.length < ticks.length) body.append(tickRow(body.rows.length));
  ticks.forEach((tick, i) => {
    const row = body.rows[i];
    set(row.cells[0].firstChild, tick.value ?? "");
    row.cells[1].textContent = tick.position.toFixed(1);
    row.cells[2].textContent = tick.read;
    row.cells[2].className = tick.read && Number(tick.read.replace("−", "-")) !== tick.value ? "odd" : "quiet";
  });
}

function tickRow(index) {
  const row = document.createElement("tr");
  const input = document.createElement("input");
  input.className = "short"; input.inputMode = "decimal"; input.maxLength = 40;
  input.setAttribute("aria-label", `value of tick ${index + 1}`);
  input.addEventListener("change", async () => {
    const tick = store.state.bar.ticks[index];
    input.classList.toggle("wrong", !(await act("tick_change", { index, position: tick.position, value: input.value })));
  });
  input.addEventListener("keydown", (event) => { if (event.key === "Enter") row.nextElementSibling?.querySelector("input").focus() ?? input.blur(); });
  const remove = document.createElement("button");
  remove.textContent = "✕"; remove.setAttribute("aria-label", `Remove tick ${index + 1}`);
  remove.addEventListener("click", () => act("tick_remove", { index }));
  for (const child of [input, "", "", remove]) { const td = document.createElement("td"); td.append(child); row.append(td); }
  row.cells[1].className = "number";
  return row;
}

function showFrame() {
  const { state } = store;
  const n = state.frames.length;
  const out = $("frame-state");
  if (state.reading) out.textContent = "Looking at the figure …";
  else if (state.frame_said === "none") out.textContent = "The whole picture is map.";
  else if (state.frame_said) out.textContent = "Drawn by you.";
  else if (!n) out.textContent = "No frame was found: the whole picture is taken, unless you draw one.";
  else if (n === 1) out.textContent = "Found.";
  else out.textContent = state.frames.some((f) => f.meant) ? `${n} panels; the green one is meant.` : `${n} panels: click the one you mean.`;
  out.className = state.frame_said || state.frames.some((f) => f.meant) ? "sure" : "";
}

function showBackground() {
  const { state } = store;
  $("colors").replaceChildren(...state.background.map((color) => {
    const li = document.createElement("li");
    const chip = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [key, value] of Object.entries({ width: 18, height: 18, fill: color })) rect.setAttribute(key, value);
    chip.append(rect);
    const remove = document.createElement("button");
    remove.textContent = "✕"; remove.setAttribute("aria-label", `Remove ${color}`);
    remove.addEventListener("click", () => act("background", { color, on: false }));
    li.append(chip, color, remove);
    return li;
  }));
  $("colors-none").hidden = state.background.length > 0;
  $("search-background").checked = state.search_background;
}

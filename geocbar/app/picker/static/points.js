/* The table of points, the fit in words, and the points that were read at the frame. */

import { act, choose, chosenPoint, store } from "./store.js";
import { arrowScale } from "./layers.js";

const rows = new Map();
const $ = (id) => document.getElementById(id);

const onGround = (km) => (km < 0.001 ? "less than 1 m" : `${shortened(km, 3)} km`);

export const shortened = (value, digits = 6) => `${+value.toPrecision(digits)}`;

export function usePoints(viewer) {
  $("model").addEventListener("change", (event) => act("model", { model: event.target.value }));
  $("take-offer").addEventListener("click", () => act("take_offered"));
  return { show: () => show(viewer), focusPlace };
}

/* The cursor goes where the place of the chosen point is typed. */
export function focusPlace() {
  const row = rows.get(store.chosen);
  if (row) { row.lon.focus(); row.lon.select(); }
}

function makeRow(number, viewer) {
  const tr = document.createElement("tr");
  const why = document.createElement("tr");
  why.className = "why";
  const cell = (child, name) => { const td = document.createElement("td"); if (name) td.className = name; td.append(child); tr.append(td); return td; };
  const input = (name, label) => { const e = document.createElement("input"); e.className = name; e.setAttribute("aria-label", label); e.maxLength = 200; e.spellcheck = false; e.autocomplete = "off"; return e; };
  const row = { tr, why, on: document.createElement("input"), name: input("name", "name"), lon: input("degrees", "longitude"), lat: input("degrees", "latitude") };
  row.on.type = "checkbox";
  row.on.setAttribute("aria-label", "use this point");
  cell(row.on); cell(row.name); cell(row.lon); cell(row.lat);
  row.off = cell("", "number");
  const remove = document.createElement("button");
  remove.textContent = "✕"; remove.title = "Remove (Del)"; remove.setAttribute("aria-label", "Remove this point");
  cell(remove);
  row.reason = document.createElement("td");
  row.reason.colSpan = 6;
  why.append(row.reason);
  row.on.addEventListener("change", () => act("enable", { number, on: row.on.checked }));
  remove.addEventListener("click", () => act("remove", { number }));
  row.name.addEventListener("change", () => act("rename", { number, name: row.name.value }));
  tr.addEventListener("focusin", () => { if (store.chosen !== number) choose(number); });
  tr.addEventListener("click", () => { choose(number); const p = chosenPoint(); if (p) viewer.lookAt(p.x, p.y); });
  for (const field of [row.lon, row.lat]) {
    field.addEventListener("input", () => { row.typed = true; field.classList.remove("wrong"); });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); locate(number, row, viewer); }
      if (event.key === "Escape") { row.typed = false; fill(row, chosenPoint()); viewer.canvas.focus(); }
    });
  }
  tr.addEventListener("focusout", (event) => {
    if (row.typed && !tr.contains(event.relatedTarget) && (row.lat.value.trim() || /[NSEW].*[NSEW]/i.test(row.lon.value))) locate(number, row, null);
  });
  return row;
}

async function locate(number, row, viewer) {
  row.typed = false;
  const fine = await act("locate", { number, lon: row.lon.value, lat: row.lat.value });
  for (const field of [row.lon, row.lat]) field.classList.toggle("wrong", !fine);
  if (!fine) { row.typed = true; return; }
  fill(row, store.state.points.find((p) => p.number === number), true);
  viewer?.canvas.focus();
}

function fill(row, point, anyway = false) {
  if (!point || (row.typed && !anyway)) return;
  const [lon, lat] = point.world ? point.world.map((v) => shortened(v, 9)) : ["", ""];
  for (const [field, value] of [[row.lon, lon], [row.lat, lat]]) if (document.activeElement !== field || anyway) field.value = value;
}

function show(viewer) {
  const { state } = store;
  const body = $("points-rows");
  const there = new Set(state.points.map((p) => p.number));
  for (const [number, row] of rows) if (!there.has(number)) { row.tr.remove(); row.why.remove(); rows.delete(number); }
  for (const point of state.points) {
    let row = rows.get(point.number);
    if (!row) { row = makeRow(point.number, viewer); rows.set(point.number, row); body.append(row.tr, row.why); }
    fill(row, point);
    if (document.activeElement !== row.name) row.name.value = point.name;
    row.on.checked = point.enabled;
    row.tr.className = `${point.number === store.chosen ? "chosen" : ""} ${point.enabled ? "" : "off"}`;
    const judged = point.judged;
    row.off.textContent = judged?.px === undefined || judged.px === null ? "" : judged.px.toFixed(2);
    row.off.title = judged?.px === undefined || judged.px === null ? "" : `${judged.km === null ? "" : `${onGround(judged.km)} on the ground; `}${judged.left_out_px?.toFixed(2) ?? "–"} px if the point itself takes no part`;
    row.off.classList.toggle("odd", Boolean(judged?.suspicion));
    row.why.hidden = !judged?.suspicion;
    row.reason.textContent = judged?.suspicion ? `⚠ ${judged.suspicion}` : "";
  }
  $("points-table").hidden = state.points.length === 0;
  $("points-none").hidden = state.points.length > 0;
  $("head-x").textContent = state.degrees ? "longitude" : "easting";
  $("head-y").textContent = state.degrees ? "latitude" : "northing";
  showFit(state);
  $("offer").hidden = !state.offered || state.points.length > 0;
  $("offer-text").textContent = `${state.offered} points were read at the frame of the map.`;
  $("offer").title = state.offer_evidence;
  const models = [...$("model").options].map((o) => o.value);
  if (!models.includes(state.fit.asked)) $("model").append(new Option(state.fit.asked));
  $("model").value = state.fit.asked;
}

function showFit(state) {
  const { fit } = state;
  const out = $("fit");
  out.className = fit.placed ? "placed" : /more point|No point/.test(fit.message) ? "missing" : "wrong";
  if (fit.placed) {
    const km = fit.rmse_km === null ? "" : ` = ${onGround(fit.rmse_km)}`;
    const out1 = fit.left_out_rmse_px === null ? "" : `; leave-one-out ${fit.left_out_rmse_px.toFixed(2)} px`;
    const seen = state.points.some((p) => p.enabled && p.judged?.px > 0.05);
    const bold = document.createElement("b");
    bold.textContent = fit.sentence;
    out.replaceChildren(bold, `: RMSE ${fit.rmse_px.toFixed(2)} px${km}${out1}.${seen ? ` Arrows ${arrowScale(state)} times longer.` : ""}${fit.comparing ? " Comparing projections …" : ""}`);
  } else if (state.points.length) out.textContent = `${fit.message} ${fit.hint}`;
  else out.textContent = state.offering ? "Reading the labels at the frame … You need not wait for it." : "";
  const notes = fit.placed ? fit.notes : [];
  $("fit-notes").replaceChildren(...notes.map((note) => { const li = document.createElement("li"); li.textContent = note; return li; }));
}

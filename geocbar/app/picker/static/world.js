/* The world map: where the points go, and a place to click. Longitude to the right, latitude up, evenly. */

import { get } from "./api.js";
import { act, chosenPoint, complain, store } from "./store.js";
import { shortened } from "./points.js";

const FINE = 9; // pixels a degree from which the finer coast is fetched

export async function useWorld(viewer) {
  const canvas = document.getElementById("globe");
  const said = document.getElementById("globe-place");
  const c = canvas.getContext("2d");
  const view = { lon: 0, lat: 15, scale: 1.1, width: 1, height: 1 };
  let land = null, fine = null, fineFor = "", drag = null, seen = 0, waiting = false, cursor = null, timer = 0;

  const path = (rings, factor, close) => {
    const out = new Path2D();
    for (const ring of rings) {
      out.moveTo(ring[0] * factor, -ring[1] * factor);
      for (let i = 2; i < ring.length; i += 2) out.lineTo(ring[i] * factor, -ring[i + 1] * factor);
      const last = ring.length - 2;
      if (close && Math.abs(ring[last] - ring[0]) > 1) { // Antarctica: round the pole
        out.lineTo(ring[last] * factor, 95); out.lineTo(ring[0] * factor, 95);
      }
      if (close) out.closePath();
    }
    return out;
  };
  get("land").then((rings) => { land = path(rings, 0.01, true); redraw(); }).catch(complain);

  const toScreen = (lon, lat) => [view.width / 2 + (lon - view.lon) * view.scale, view.height / 2 - (lat - view.lat) * view.scale];
  const toPlace = (x, y) => [view.lon + (x - view.width / 2) / view.scale, view.lat - (y - view.height / 2) / view.scale];
  const turn = (lon) => ((((lon + 180) % 360) + 360) % 360) - 180;

  function redraw() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; draw(); });
  }

  function draw() {
    const style = getComputedStyle(canvas);
    const ratio = window.devicePixelRatio || 1;
    const box = canvas.getBoundingClientRect();
    if (canvas.width !== Math.round(box.width * ratio) || canvas.height !== Math.round(box.height * ratio)) {
      canvas.width = Math.round(box.width * ratio); canvas.height = Math.round(box.height * ratio);
    }
    Object.assign(view, { width: box.width, height: box.height });
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.fillStyle = style.getPropertyValue("--sea"); c.fillRect(0, 0, box.width, box.height);
    for (const around of [-360, 0, 360]) {
      const [x, y] = toScreen(around, 0);
      if (x + 180 * view.scale < -200 * view.scale || x - 180 * view.scale > box.width + 200 * view.scale) continue;
      c.save();
      c.translate(x, y); c.scale(view.scale, view.scale);
      c.lineWidth = 0.7 / view.scale; c.strokeStyle = style.getPropertyValue("--coast"); c.lineJoin = "round";
      if (land) { c.fillStyle = style.getPropertyValue("--land"); c.fill(land, "evenodd"); if (!fine) c.stroke(land); }
      if (fine) c.stroke(fine);
      c.restore();
    }
    grid(style);
    points();
    if (cursor && document.activeElement === canvas && cursor.byKey) {
      c.strokeStyle = "#b3261e"; c.lineWidth = 1.5;
      c.beginPath(); c.moveTo(box.width / 2 - 8, box.height / 2); c.lineTo(box.width / 2 + 8, box.height / 2); c.moveTo(box.width / 2, box.height / 2 - 8); c.lineTo(box.width / 2, box.height / 2 + 8); c.stroke();
    }
    fetchFine();
  }

  function grid(style) {
    const step = [0.25, 0.5, 1, 2, 5, 10, 30, 60].find((s) => s * view.scale >= 52) ?? 60;
    const [west, north] = toPlace(0, 0), [east, south] = toPlace(view.width, view.height);
    c.strokeStyle = style.getPropertyValue("--coast"); c.globalAlpha = 0.35; c.lineWidth = 1; c.beginPath();
    for (let lon = Math.ceil(west / step) * step; lon <= east; lon += step) { const [x] = toScreen(lon, 0); c.moveTo(x, 0); c.lineTo(x, view.height); }
    for (let lat = Math.ceil(Math.max(south, -90) / step) * step; lat <= Math.min(north, 90); lat += step) { const [, y] = toScreen(0, lat); c.moveTo(0, y); c.lineTo(view.width, y); }
    c.stroke(); c.globalAlpha = 1;
  }

  function points() {
    const { state } = store;
    if (!state?.degrees) return;
    c.font = "600 11px system-ui, sans-serif"; c.textBaseline = "middle";
    for (const p of state.points) {
      if (!p.world) continue;
      const lon = p.world[0] + 360 * Math.round((view.lon - p.world[0]) / 360);
      const [x, y] = toScreen(lon, p.world[1]);
      const chosen = p.number === store.chosen;
      c.fillStyle = !p.enabled ? "#6b7780" : p.judged?.suspicion ? "#d97706" : "#0b6a94";
      c.strokeStyle = "#fff"; c.lineWidth = 1.5;
      c.beginPath(); c.arc(x, y, chosen ? 6 : 4, 0, 7); c.fill(); c.stroke();
      if (chosen || state.points.length < 16) { c.strokeText(p.name, x + 7, y - 7); c.fillText(p.name, x + 7, y - 7); }
    }
  }

  /* The finer coast of what is seen, a moment after the map stands still. */
  function fetchFine() {
    if (view.scale < FINE) { fine = null; fineFor = ""; return; }
    const [w, n] = toPlace(0, 0), [e, s] = toPlace(view.width, view.height);
    const key = [w, s, e, n].map((v) => v.toFixed(1)).join();
    if (key === fineFor) return;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      fineFor = key;
      const pad = (e - w) / 2;
      const lines = await get("coast", { w: w - pad, e: Math.min(e + pad, w - pad + 360), s: Math.max(s - pad, -90), n: Math.min(n + pad, 90) }).catch(() => null);
      if (lines && fineFor === key) { fine = path(lines, 1, false); redraw(); }
    }, 120);
  }

  function zoom(factor, x = view.width / 2, y = view.height / 2) {
    const [lon, lat] = toPlace(x, y);
    view.scale = Math.min(Math.max(view.scale * factor, 0.8), 2000);
    view.lon = lon - (x - view.width / 2) / view.scale; view.lat = lat + (y - view.height / 2) / view.scale;
    settle();
  }

  function settle() {
    view.lon = turn(view.lon); view.lat = Math.min(Math.max(view.lat, -90), 90);
    redraw();
  }

  async function take(lon, lat) {
    const point = chosenPoint();
    if (!store.state?.degrees) return complain({ message: "The points are not in degrees.", hint: "Type their coordinates." });
    if (!point) return complain({ message: "No point is chosen.", hint: "Click a place in the figure first." });
    const digits = Math.max(0, Math.ceil(Math.log10(view.scale)) + 1);
    if (await act("locate", { number: point.number, lon: turn(lon).toFixed(digits), lat: lat.toFixed(digits) })) viewer.canvas.focus({ preventScroll: true });
  }

  const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const name = (lon, lat) => `${shortened(Math.abs(turn(lon)), 5)}°${turn(lon) < 0 ? "W" : "E"} ${shortened(Math.abs(lat), 5)}°${lat < 0 ? "S" : "N"}`;

  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); drag = { start: at(event), last: at(event), far: false }; });
  canvas.addEventListener("pointermove", (event) => {
    const [x, y] = at(event);
    cursor = { byKey: false };
    const [lon, lat] = toPlace(x, y);
    said.textContent = Math.abs(lat) <= 90 ? name(lon, lat) : "";
    if (!drag) return;
    drag.far ||= Math.hypot(x - drag.start[0], y - drag.start[1]) > 4;
    if (drag.far) { view.lon -= (x - drag.last[0]) / view.scale; view.lat += (y - drag.last[1]) / view.scale; settle(); }
    drag.last = [x, y];
  });
  canvas.addEventListener("pointerup", (event) => {
    const clicked = drag && !drag.far;
    drag = null;
    const [lon, lat] = toPlace(...at(event));
    if (clicked && Math.abs(lat) <= 90) take(lon, lat);
  });
  canvas.addEventListener("pointerleave", () => { said.textContent = ""; });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(Math.exp(-event.deltaY * (event.deltaMode === 1 ? 30 : 1) * 0.0018), ...at(event)); }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = 24 / view.scale;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    if (moves[event.key]) { view.lon += moves[event.key][0]; view.lat += moves[event.key][1]; settle(); }
    else if (event.key === "+" || event.key === "=") zoom(1.5);
    else if (event.key === "-") zoom(1 / 1.5);
    else if (event.key === "Enter") take(view.lon, view.lat);
    else return;
    cursor = { byKey: true };
    said.textContent = name(view.lon, view.lat);
    event.preventDefault();
  });
  new ResizeObserver(redraw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  /* The map goes where the points are when a new one lies out of sight; otherwise it is the hand's. */
  return () => {
    const places = (store.state?.degrees ? store.state.points : []).filter((p) => p.world).map((p) => p.world);
    const hidden = ([lon, lat]) => {
      const [x, y] = toScreen(lon + 360 * Math.round((view.lon - lon) / 360), lat);
      return x < 8 || y < 8 || x > view.width - 8 || y > view.height - 8;
    };
    if (places.length >= 2 && (seen < 2 || (places.length > seen && places.some(hidden)))) {
      const lons = places.map((p) => p[0]), lats = places.map((p) => p[1]);
      const span = Math.max(Math.max(...lons) - Math.min(...lons), 1.6 * (Math.max(...lats) - Math.min(...lats)), 2);
      view.lon = turn((Math.max(...lons) + Math.min(...lons)) / 2); view.lat = (Math.max(...lats) + Math.min(...lats)) / 2;
      view.scale = Math.min(Math.max((0.6 * view.width) / span, 0.8), 60);
    }
    seen = places.length;
    redraw();
  };
}

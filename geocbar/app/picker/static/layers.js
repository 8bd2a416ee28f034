/* What is drawn over the figure: coast and graticule by the fit, points, bar, frames, mask, the stroke being drawn. */

import { blob } from "./api.js";
import { store } from "./store.js";

const pieces = { lines: null, coast: [], graticule: [] };
const mask = { version: 0, image: null, map: "" };

const PIECE = 48;

export const shown = { coast: true, graticule: true, marks: true };

/* Long lines in short pieces, each with its box: only what is seen is drawn. */
function cut(lines) {
  const out = [];
  for (const line of lines) {
    for (let from = 0; from < line.length - 2; from += 2 * PIECE) {
      const points = line.slice(from, from + 2 * PIECE + 2);
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = 0; i < points.length; i += 2) {
        box[0] = Math.min(box[0], points[i]); box[1] = Math.min(box[1], points[i + 1]);
        box[2] = Math.max(box[2], points[i]); box[3] = Math.max(box[3], points[i + 1]);
      }
      out.push({ points, box });
    }
  }
  return out;
}

function earthPieces() {
  const { lines } = store;
  if (pieces.lines !== lines) Object.assign(pieces, { lines, coast: cut(lines.coast), graticule: cut(lines.graticule.map((g) => g.line)) });
  return pieces;
}

/* The path of what is seen; places nearer to each other than a pixel of the screen are one. */
function trace(c, viewer, all) {
  const { left, top, scale: k } = viewer;
  const [right, bottom] = [left + viewer.width / k, top + viewer.height / k];
  c.beginPath();
  for (const { points, box } of all) {
    if (box[0] > right || box[1] > bottom || box[2] < left || box[3] < top) continue;
    let x = (points[0] - left) * k, y = (points[1] - top) * k;
    c.moveTo(x, y);
    for (let i = 2; i < points.length; i += 2) {
      const nx = (points[i] - left) * k, ny = (points[i + 1] - top) * k;
      if (Math.abs(nx - x) + Math.abs(ny - y) < 1 && i < points.length - 2) continue;
      c.lineTo(nx, ny);
      x = nx; y = ny;
    }
  }
}

export async function refreshMask(onReady) {
  const { state } = store;
  const key = `${state.map.id}/${state.mask_version}/${state.masked}`;
  if (mask.key === key) return;
  mask.key = key;
  if (!state.masked) { mask.image = null; onReady(); return; }
  const image = await createImageBitmap(await blob("mask")).catch(() => null);
  if (mask.key === key) { mask.image = image; mask.live = []; onReady(); }
}

export function drawLayers(c, viewer, live) {
  const { state } = store;
  if (!state) return;
  drawMask(c, viewer, state, live);
  const frame = state.frame_said === "none" ? null : state.frames.find((f) => f.meant);
  if (store.lines && state.fit.placed) {
    const earth = earthPieces();
    c.save();
    if (frame) { polygon(c, viewer, frame.corners); c.clip(); }
    c.lineJoin = "round";
    if (shown.graticule) {
      trace(c, viewer, earth.graticule);
      c.lineWidth = 1; c.strokeStyle = "#1d4ed8b0"; c.setLineDash([5, 4]); c.stroke(); c.setLineDash([]);
    }
    if (shown.coast) {
      trace(c, viewer, earth.coast);
      c.lineWidth = 3; c.strokeStyle = "#ffffffa0"; c.stroke();
      c.lineWidth = 1.4; c.strokeStyle = "#d1006c"; c.stroke();
    }
    c.restore();
    if (shown.graticule) drawNames(c, viewer);
  }
  if (!shown.marks) return;
  drawFrames(c, viewer, state, live);
  drawBar(c, viewer, state, live);
  drawPoints(c, viewer, state, live);
  if (live.box) drawBox(c, viewer, live.box);
}

function drawNames(c, viewer) {
  c.font = "11px system-ui, sans-serif"; c.textBaseline = "middle"; c.textAlign = "center";
  const done = new Set();
  for (const { line, axis, degrees } of store.lines.graticule) {
    const at = axis === "lon" ? line.length - 2 : 0;
    let best = [line[at], line[at + 1]];
    for (let i = 0; i < line.length; i += 2) { // lowest end of a meridian, leftmost of a parallel
      if (axis === "lon" ? line[i + 1] > best[1] : line[i] < best[0]) best = [line[i], line[i + 1]];
    }
    const said = `${Math.abs(+degrees.toFixed(4))}°${degrees === 0 ? "" : "NSEW"[(axis === "lon" ? 2 : 0) + (degrees < 0 ? 1 : 0)]}`;
    if (done.has(said)) continue;
    done.add(said);
    let [x, y] = viewer.toScreen(...best);
    if (axis === "lon") y -= 9; else x += 16;
    c.fillStyle = "#ffffffd8";
    const width = c.measureText(said).width + 6;
    c.fillRect(x - width / 2, y - 7, width, 14);
    c.fillStyle = "#1d4ed8"; c.fillText(said, x, y);
  }
}

function polygon(c, viewer, corners) {
  c.beginPath();
  corners.forEach(([x, y], i) => { const s = viewer.toScreen(x, y); if (i) c.lineTo(...s); else c.moveTo(...s); });
  c.closePath();
}

function handle(c, x, y) {
  c.fillStyle = "#fff"; c.strokeStyle = "#17242d"; c.lineWidth = 1.5;
  c.beginPath(); c.rect(x - 5, y - 5, 10, 10); c.fill(); c.stroke();
}

function drawFrames(c, viewer, state, live) {
  const active = store.tool === "frame";
  for (const frame of state.frames) {
    polygon(c, viewer, frame.corners);
    c.strokeStyle = frame.meant ? "#0a8f3c" : "#6b7780";
    c.lineWidth = active ? 2.5 : 1.2; c.setLineDash(frame.meant ? [] : [6, 4]);
    c.stroke(); c.setLineDash([]);
    if (active && frame.meant && frame.corners.length === 4) for (const at of frame.corners) handle(c, ...viewer.toScreen(...at));
  }
}

function drawBar(c, viewer, state, live) {
  const { bar } = state;
  if (!bar) return;
  const active = store.tool === "bar";
  const corners = live.barCorners ?? bar.corners;
  polygon(c, viewer, corners);
  c.strokeStyle = bar.certain ? "#0a8f3c" : "#d97706"; c.lineWidth = active ? 2.5 : 1.4; c.stroke();
  c.font = "600 12px system-ui, sans-serif"; c.textBaseline = "middle"; c.textAlign = "center";
  bar.ticks.forEach((tick, i) => {
    const [a, b] = tick.line.map((at) => viewer.toScreen(...at));
    const along = Math.hypot(b[0] - a[0], b[1] - a[1]) || 1;
    const unit = [(b[0] - a[0]) / along, (b[1] - a[1]) / along];
    c.strokeStyle = tick.value === null ? "#d97706" : "#17242d"; c.lineWidth = 1.4;
    c.beginPath();
    c.moveTo(a[0] - 4 * unit[0], a[1] - 4 * unit[1]); c.lineTo(b[0] + 4 * unit[0], b[1] + 4 * unit[1]);
    c.stroke();
    if (!active) return;
    const said = tick.value === null ? "?" : `${tick.value}`;
    const at = [a[0] - 15 * unit[0], a[1] - 15 * unit[1]];
    const width = c.measureText(said).width + 8;
    const x = bar.axis === "vertical" ? a[0] - 8 - width / 2 : at[0];
    c.fillStyle = tick.value === null ? "#d97706" : "#17242de0";
    c.fillRect(x - width / 2, at[1] - 8, width, 16);
    c.fillStyle = "#fff"; c.fillText(said, x, at[1]);
  });
  if (active) for (const at of corners) handle(c, ...viewer.toScreen(...at));
}

function drawPoints(c, viewer, state, live) {
  const magnify = arrowScale(state);
  c.font = "600 12px system-ui, sans-serif"; c.textBaseline = "middle"; c.textAlign = "left";
  const points = [...state.points, ...(live.newPoints ?? [])];
  for (const point of points) {
    const moved = live.moved?.number === point.number ? live.moved : point;
    const [x, y] = viewer.toScreen(moved.x, moved.y);
    if (x < -40 || y < -40 || x > viewer.width + 40 || y > viewer.height + 40) continue;
    const chosen = point.number === store.chosen;
    const judged = point.judged;
    const color = !point.enabled ? "#6b7780" : judged?.suspicion ? "#d97706" : point.world ? "#0b6a94" : "#7c3aed";
    if (judged?.px > 0.05 && point.enabled && moved === point) {
      c.strokeStyle = "#b3261e"; c.lineWidth = 2;
      c.beginPath(); c.moveTo(x, y); c.lineTo(x + judged.dx * magnify * viewer.scale, y + judged.dy * magnify * viewer.scale); c.stroke();
    }
    for (const [width, stroke] of [[4.5, "#ffffffd0"], [2, color]]) {
      c.strokeStyle = stroke; c.lineWidth = width;
      c.beginPath(); c.arc(x, y, chosen ? 9 : 6.5, 0, 7); c.stroke();
      c.beginPath(); c.moveTo(x - 3, y); c.lineTo(x + 3, y); c.moveTo(x, y - 3); c.lineTo(x, y + 3); c.stroke();
    }
    const said = judged?.suspicion ? `${point.name} ⚠` : point.name;
    const width = c.measureText(said).width + 8;
    c.fillStyle = chosen ? color : "#ffffffd8"; c.fillRect(x + 10, y - 19, width, 16);
    c.fillStyle = chosen ? "#fff" : color; c.fillText(said, x + 14, y - 11);
  }
}

/* Residuals are lengthened by a round factor, so that the longest is seen. */
export function arrowScale(state) {
  const longest = Math.max(0.01, ...state.points.map((p) => (p.enabled ? p.judged?.px ?? 0 : 0)));
  const factor = (0.04 * state.map.width) / longest;
  return [1000, 500, 200, 100, 50, 20, 10, 5, 2].find((f) => f <= factor) ?? 1;
}

function drawBox(c, viewer, [a, b]) {
  const [p, q] = [viewer.toScreen(...a), viewer.toScreen(...b)];
  c.strokeStyle = "#17242d"; c.lineWidth = 3; c.strokeRect(...p, q[0] - p[0], q[1] - p[1]);
  c.strokeStyle = "#ffd166"; c.lineWidth = 1.5; c.strokeRect(...p, q[0] - p[0], q[1] - p[1]);
}

function drawMask(c, viewer, state, live) {
  if (mask.image) {
    const [x0, y0] = viewer.toScreen(0, 0), [x1, y1] = viewer.toScreen(state.map.width, state.map.height);
    c.globalAlpha = store.tool === "mask" ? 0.6 : 0.3;
    c.imageSmoothingEnabled = false;
    c.drawImage(mask.image, x0, y0, x1 - x0, y1 - y0);
    c.globalAlpha = 1;
  }
  const colors = { 0: "#ffffff90", 1: "#8c564b99", 2: "#17becf99" };
  for (const stroke of [...(mask.live ?? []), ...(live.stroke ? [live.stroke] : [])]) {
    c.strokeStyle = c.fillStyle = colors[stroke.code];
    c.lineWidth = 2 * stroke.radius * viewer.scale; c.lineCap = c.lineJoin = "round";
    c.beginPath();
    stroke.path.forEach((at, i) => { const s = viewer.toScreen(...at); if (i) c.lineTo(...s); else c.moveTo(...s); });
    if (stroke.path.length === 1) c.lineTo(...viewer.toScreen(stroke.path[0][0] + 0.01, stroke.path[0][1]));
    c.stroke();
  }
  if (store.tool === "mask" && live.cursor) {
    const [x, y] = viewer.toScreen(...live.cursor);
    c.strokeStyle = "#fff"; c.lineWidth = 3;
    c.beginPath(); c.arc(x, y, live.radius * viewer.scale, 0, 7); c.stroke();
    c.strokeStyle = "#17242d"; c.lineWidth = 1; c.stroke();
  }
}

export function keepStroke(stroke) { (mask.live ??= []).push(stroke); }

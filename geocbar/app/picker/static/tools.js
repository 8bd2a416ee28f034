/* Hands on the figure: click, drag, wheel and keys, and what each tool makes of them. */

import { get } from "./api.js";
import { act, changed, choose, chosenPoint, complain, store } from "./store.js";
import { keepStroke } from "./layers.js";

const CLICK_PX = 4;
const NEAR_PX = 11;

export const live = { newPoints: [], moved: null, stroke: null, box: null, barCorners: null, cursor: null, radius: 12 };

export function useTools(viewer, { onProbe, afterAdd, focusPlace }) {
  const { canvas } = viewer;
  let drag = null, space = false, nudging = null;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const near = (screen, place) => {
    const s = viewer.toScreen(...place);
    return Math.hypot(s[0] - screen[0], s[1] - screen[1]);
  };
  const pointAt = (screen) => {
    const close = store.state.points.map((p) => [near(screen, [p.x, p.y]), p]).filter(([d]) => d < NEAR_PX);
    return close.sort((a, b) => a[0] - b[0])[0]?.[1] ?? null;
  };
  const cornerAt = (screen, corners) => corners?.findIndex((corner) => near(screen, corner) < NEAR_PX) ?? -1;
  const meantFrame = () => store.state.frames.find((frame) => frame.meant && frame.corners.length === 4);

  /* What a drag that begins here will do. */
  function grip(screen, event) {
    const { tool, mode, state } = store;
    if (event.button === 1 || event.button === 2 || space) return { kind: "pan" };
    if (tool === "mask") return { kind: "brush" };
    if (mode === "box") return { kind: "box" };
    const point = pointAt(screen);
    if (tool === "points" && point) return { kind: "point", point };
    if (tool === "bar" && state.bar) {
      const corner = cornerAt(screen, state.bar.corners);
      if (corner >= 0) return { kind: "corner", of: "bar", fixed: state.bar.corners[(corner + 2) % 4], corners: state.bar.corners };
      const tick = state.bar.ticks.findIndex((t) => toSegment(screen, t.line.map((p) => viewer.toScreen(...p))) < 6);
      if (tick >= 0) return { kind: "tick", index: tick, tick: state.bar.ticks[tick] };
    }
    if (tool === "frame" && meantFrame()) {
      const { corners } = meantFrame();
      const corner = cornerAt(screen, corners);
      if (corner >= 0) return { kind: "corner", of: "frame", fixed: corners[(corner + 2) % 4], corners };
    }
    return { kind: "pan" };
  }

  canvas.addEventListener("contextmenu", (event) => event.preventDefault());
  canvas.addEventListener("pointerdown", (event) => {
    if (!store.state) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const screen = at(event);
    drag = { ...grip(screen, event), start: screen, last: screen, far: false };
    if (drag.kind === "brush") {
      live.stroke = { code: live.code ?? 1, radius: live.radius, path: [viewer.toPicture(...screen)] };
    }
    event.preventDefault();
  });

  canvas.addEventListener("pointermove", (event) => {
    if (!store.state) return;
    const screen = at(event), place = viewer.toPicture(...screen);
    live.cursor = place;
    onProbe(place);
    if (!drag) { showGrip(screen, event); if (store.tool === "mask") viewer.redraw(); return; }
    drag.far ||= Math.hypot(screen[0] - drag.start[0], screen[1] - drag.start[1]) > CLICK_PX;
    if (drag.far || drag.kind === "brush") follow(screen, place);
    drag.last = screen;
  });

  function follow(screen, place) {
    if (drag.kind === "pan") { canvas.classList.add("moving"); viewer.move(screen[0] - drag.last[0], screen[1] - drag.last[1]); return; }
    if (drag.kind === "point") live.moved = { number: drag.point.number, x: place[0], y: place[1] };
    if (drag.kind === "brush") live.stroke.path.push(place.map((v) => Math.round(v * 10) / 10));
    if (drag.kind === "box") live.box = [viewer.toPicture(...drag.start), place];
    if (drag.kind === "corner") live.box = [drag.fixed, place];
    viewer.redraw();
  }

  canvas.addEventListener("pointerup", async (event) => {
    if (!drag) return;
    const done = drag, screen = at(event), place = viewer.toPicture(...screen);
    drag = null;
    canvas.classList.remove("moving");
    if (done.kind === "brush") return endStroke();
    if (!done.far) return clicked(screen, place, event, done);
    if (done.kind === "point") await act("move", { number: done.point.number, x: place[0], y: place[1] });
    if (done.kind === "tick") await act("tick_move", { index: done.index, x: place[0], y: place[1], value: `${done.tick.value ?? ""}` });
    if (done.kind === "corner") await act(done.of, { corners: [done.fixed, place] });
    if (done.kind === "box") {
      const corners = [viewer.toPicture(...done.start), place];
      store.mode = "";
      await act(store.tool === "bar" ? "bar" : "frame", { corners });
    }
    live.moved = live.box = live.barCorners = null;
    changed();
  });

  canvas.addEventListener("pointercancel", () => { drag = null; live.moved = live.box = live.stroke = null; viewer.redraw(); });
  canvas.addEventListener("pointerleave", () => { live.cursor = null; onProbe(null); viewer.redraw(); });

  async function endStroke() {
    const { stroke } = live;
    live.stroke = null;
    keepStroke(stroke);
    await act("stroke", stroke);
  }

  async function clicked(screen, place, event, done) {
    const { tool, mode } = store;
    if (event.button !== 0) return;
    const known = pointAt(screen);
    if (tool === "points") return known ? choose(known.number) : addPoint(place);
    if (tool === "background") return void act("background", { x: place[0], y: place[1] });
    if (tool === "bar" && mode === "tick") {
      store.mode = "";
      if (await act("tick_add", { x: place[0], y: place[1], value: "" })) document.querySelector("#tick-rows tr:last-child input")?.focus();
      return;
    }
    if (tool === "frame") {
      const index = store.state.frames.findIndex((frame) => contains(frame.corners, place));
      if (index >= 0 && !store.state.frames[index].meant) act("panel", { panel: index + 1 });
    }
  }

  async function addPoint(place) {
    const shape = { number: -1 - live.newPoints.length, name: "…", x: place[0], y: place[1], enabled: true, world: null };
    live.newPoints.push(shape);
    viewer.redraw(); // it is seen at once, whatever the server does
    try {
      if (document.getElementById("snap").checked) {
        const snapped = await get("snap", { x: place[0], y: place[1], reach: 14 / viewer.scale }).catch((error) => { complain(error); return null; });
        if (snapped) place = [snapped.x, snapped.y];
      }
      const before = new Set(store.state.points.map((p) => p.number));
      if (await act("add", { x: place[0], y: place[1] })) {
        const added = store.state.points.find((p) => !before.has(p.number));
        if (added) { choose(added.number); afterAdd(added); }
      }
    } finally {
      live.newPoints.splice(live.newPoints.indexOf(shape), 1);
      viewer.redraw();
    }
  }

  function showGrip(screen, event) {
    const { kind } = grip(screen, { button: 0 });
    canvas.classList.toggle("over", kind === "point" || kind === "corner" || kind === "tick");
    canvas.classList.toggle("brush", kind === "brush");
  }

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const step = event.deltaMode === 1 ? 30 : 1;
    viewer.zoom(Math.exp(-event.deltaY * step * 0.0016), ...at(event));
  }, { passive: false });

  canvas.addEventListener("dblclick", (event) => event.preventDefault());

  /* A nudge is drawn at once; the server hears of it as soon as it has answered the one before. */
  async function nudge(dx, dy) {
    const point = chosenPoint();
    if (!point) return viewer.move(-dx * 60 * Math.sign(Math.abs(dx)), -dy * 60 * Math.sign(Math.abs(dy)));
    const from = live.moved?.number === point.number ? live.moved : point;
    live.moved = { number: point.number, x: from.x + dx, y: from.y + dy };
    live.cursor = [live.moved.x, live.moved.y];
    viewer.lookAt(...live.cursor); viewer.redraw(); onProbe(live.cursor);
    if (nudging) return;
    nudging = true;
    while (live.moved) {
      const { x, y, number } = live.moved;
      await act("move", { number, x, y });
      if (live.moved && live.moved.x === x && live.moved.y === y) live.moved = null;
    }
    nudging = null;
    viewer.redraw();
  }

  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  canvas.addEventListener("keydown", (event) => {
    if (!store.state) return;
    const arrow = ARROWS[event.key];
    if (arrow) {
      const by = event.shiftKey ? 5 : 0.5;
      nudge(arrow[0] * by, arrow[1] * by);
    } else if (event.key === " ") { space = true; canvas.classList.add("moving");
    } else if (event.key === "Delete" || event.key === "Backspace") { if (chosenPoint()) act("remove", { number: store.chosen });
    } else if (event.key === "Enter") { if (store.tool === "points") { if (chosenPoint()) focusPlace(); else addPoint(viewer.toPicture(viewer.width / 2, viewer.height / 2)); }
    } else if (event.key === "Escape") { store.mode = ""; live.box = null; choose(null);
    } else if (event.key === "[" || event.key === "]") {
      if (store.tool === "mask") return resize(event.key === "]" ? 1.2 : 1 / 1.2);
      const all = store.state.points, i = all.findIndex((p) => p.number === store.chosen);
      if (all.length) { const next = all[(i + (event.key === "]" ? 1 : -1) + all.length) % all.length]; choose(next.number); viewer.lookAt(next.x, next.y); }
    } else if (event.key === "+" || event.key === "=") viewer.zoom(1.4);
    else if (event.key === "-") viewer.zoom(1 / 1.4);
    else if (event.key === "0") viewer.fit();
    else return;
    event.preventDefault();
  });
  canvas.addEventListener("keyup", (event) => { if (event.key === " ") { space = false; canvas.classList.remove("moving"); } });

  function resize(factor) {
    const slider = document.getElementById("radius");
    slider.value = Math.max(1, Math.round(slider.value * factor));
    slider.dispatchEvent(new Event("input"));
  }
}

function toSegment([x, y], [[ax, ay], [bx, by]]) {
  const [dx, dy] = [bx - ax, by - ay];
  const share = Math.min(Math.max(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1), 0), 1);
  return Math.hypot(x - ax - share * dx, y - ay - share * dy);
}

function contains(corners, [x, y]) {
  let inside = false;
  corners.forEach(([ax, ay], i) => {
    const [bx, by] = corners[(i + 1) % corners.length];
    if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
  });
  return inside;
}

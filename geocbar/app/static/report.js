"use strict";
(() => {
  const stage = document.getElementById("stage");
  if (!stage) return;
  const panes = [...stage.querySelectorAll("svg.pane")];
  const top = stage.querySelector(".top");
  const handle = stage.querySelector(".handle");
  const swipe = document.getElementById("swipe");
  const right = stage.querySelector(".side.right");
  const whole = panes[0].getAttribute("viewBox").split(" ").map(Number);
  const most = 40;
  let view = [...whole];
  let share = 50;
  let waiting = false;
  document.documentElement.classList.add("live");

  const draw = () => {
    waiting = false;
    const box = view.map((v) => v.toFixed(3)).join(" ");
    for (const pane of panes) pane.setAttribute("viewBox", box);
    const times = whole[2] / view[2];
    stage.classList.toggle("near", times > 4);
    top.style.clipPath = `inset(0 0 0 ${share}%)`;
    handle.style.left = `${share}%`;
  };
  const redraw = () => {
    if (!waiting) {
      waiting = true;
      requestAnimationFrame(draw);
    }
  };
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);
  const look = (x, y, width) => {
    const w = clamp(width, whole[2] / most, whole[2]);
    const h = (w * whole[3]) / whole[2];
    view = [
      clamp(x, whole[0], whole[0] + whole[2] - w),
      clamp(y, whole[1], whole[1] + whole[3] - h),
      w,
      h,
    ];
    redraw();
  };
  const placeOf = (event) => {
    const matrix = panes[0].getScreenCTM();
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
  };
  const zoom = (times, at) => {
    const c = at || { x: view[0] + view[2] / 2, y: view[1] + view[3] / 2 };
    const w = clamp(view[2] / times, whole[2] / most, whole[2]);
    const k = w / view[2];
    look(c.x - (c.x - view[0]) * k, c.y - (c.y - view[1]) * k, w);
  };
  const slide = (percent) => {
    share = clamp(percent, 0, 100);
    swipe.value = String(Math.round(share));
    redraw();
  };

  stage.addEventListener(
    "wheel",
    (event) => {
      const out = event.deltaY > 0;
      // At the whole map, turning back scrolls the page.
      if (out && view[2] >= whole[2]) return;
      event.preventDefault();
      zoom(Math.exp(-clamp(event.deltaY, -120, 120) / 240), placeOf(event));
    },
    { passive: false },
  );

  const held = new Map();
  let sliding = false;
  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    sliding = handle.contains(event.target);
    held.set(event.pointerId, event);
    stage.setPointerCapture(event.pointerId);
    stage.classList.add("held");
  });
  stage.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    if (sliding) {
      const box = stage.getBoundingClientRect();
      slide((100 * (event.clientX - box.left)) / box.width);
    } else if (held.size === 2) {
      const other = [...held.values()].find((e) => e.pointerId !== event.pointerId);
      const apart = (e) => Math.hypot(e.clientX - other.clientX, e.clientY - other.clientY) || 1;
      zoom(apart(event) / apart(before), placeOf(event));
    } else {
      const a = placeOf(before);
      const b = placeOf(event);
      look(view[0] + a.x - b.x, view[1] + a.y - b.y, view[2]);
    }
    held.set(event.pointerId, event);
  });
  const release = (event) => {
    held.delete(event.pointerId);
    if (!held.size) {
      sliding = false;
      stage.classList.remove("held");
    }
  };
  stage.addEventListener("pointerup", release);
  stage.addEventListener("pointercancel", release);
  stage.addEventListener("dblclick", (event) => zoom(2, placeOf(event)));

  const step = (dx, dy) => look(view[0] + dx * view[2], view[1] + dy * view[3], view[2]);
  const keys = {
    ArrowLeft: () => step(-0.1, 0),
    ArrowRight: () => step(0.1, 0),
    ArrowUp: () => step(0, -0.1),
    ArrowDown: () => step(0, 0.1),
    "+": () => zoom(1.5),
    "=": () => zoom(1.5),
    "-": () => zoom(1 / 1.5),
    0: () => look(whole[0], whole[1], whole[2]),
    "[": () => slide(share - 5),
    "]": () => slide(share + 5),
  };
  stage.addEventListener("keydown", (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act();
  });

  swipe.addEventListener("input", () => slide(Number(swipe.value)));
  const buttons = { in: () => zoom(1.5), out: () => zoom(1 / 1.5), all: keys[0] };
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", buttons[button.dataset.zoom]);
  }
  const choose = (name, label) => {
    for (const layer of stage.querySelectorAll("[data-layer]")) {
      layer.toggleAttribute("hidden", layer.dataset.layer !== name);
    }
    for (const legend of document.querySelectorAll("[data-legend]")) {
      legend.toggleAttribute("hidden", legend.dataset.legend !== name);
    }
    right.textContent = label;
    top.querySelector("svg").setAttribute("aria-label", label);
  };
  for (const radio of document.querySelectorAll("input[name=layer]")) {
    const label = radio.parentElement.textContent.trim();
    radio.addEventListener("change", () => choose(radio.value, label));
    if (radio.checked) choose(radio.value, label);
  }
  for (const box of document.querySelectorAll(".controls input[type=checkbox]")) {
    const group = stage.querySelector(`[data-over="${box.value}"]`);
    const show = () => group.toggleAttribute("hidden", !box.checked);
    box.addEventListener("change", show);
    show();
  }
  slide(Number(swipe.value));
})();

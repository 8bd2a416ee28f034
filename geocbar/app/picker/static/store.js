/* What the server last said, what is chosen on the page, and who wants to know. */

import { get, post } from "./api.js";

const listeners = new Set();

export const store = { state: null, chosen: null, tool: "points", mode: "", lines: null, linesVersion: -1 };

export const onChange = (listener) => { listeners.add(listener); };

export function changed() { for (const listener of listeners) listener(store); }

export function take(state) {
  if (store.state && state.version < store.state.version && state.map.id === store.state.map.id) return;
  store.state = state;
  if (store.chosen !== null && !state.points.some((p) => p.number === store.chosen)) store.chosen = null;
  changed();
  if (state.lines_version !== store.linesVersion) fetchLines(state.lines_version);
}

async function fetchLines(version) {
  store.linesVersion = version;
  const lines = await get("lines").catch(() => null);
  if (lines && store.linesVersion === version) { store.lines = lines; changed(); }
}

/* One step of work; what went wrong is shown, and the page is as it was. */
export async function act(name, details = {}) {
  try {
    take(await post("act", { do: name, ...details }));
    return true;
  } catch (error) {
    complain(error);
    take(await get("state"));
    return false;
  }
}

export function complain(error) {
  const alerts = document.getElementById("alerts");
  const said = document.createElement("div");
  said.textContent = error.message;
  if (error.hint) {
    const hint = document.createElement("small");
    hint.textContent = error.hint;
    said.append(hint);
  }
  alerts.replaceChildren(said);
  setTimeout(() => said.remove(), 9000);
}

export const chosenPoint = () => store.state?.points.find((p) => p.number === store.chosen) ?? null;

export function choose(number) { store.chosen = number; changed(); }

/* News from the server, for as long as the page is open. */
export async function follow() {
  for (;;) {
    try {
      take(await get("state", { since: store.state.version }));
      document.body.classList.remove("lost");
    } catch (error) {
      document.body.classList.add("lost");
      document.getElementById("saved").textContent = "The server has gone: start geocbar pick again.";
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

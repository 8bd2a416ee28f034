/* Run: progress, what came out, the report. */

import { post } from "./api.js";
import { complain, store, take } from "./store.js";

const $ = (id) => document.getElementById(id);
const item = (text) => { const li = document.createElement("li"); li.textContent = text; return li; };

export function useRun(showPanel) {
  let was = false, shownFor = "";
  $("run").addEventListener("click", async () => {
    showPanel("run");
    try { take(await post("run")); } catch (error) { complain(error); }
  });
  $("open-report").addEventListener("click", () => { $("report").showModal(); });
  return async () => {
    const { run } = store.state;
    $("run").disabled = run.running;
    $("run").textContent = run.running ? "Running …" : "Run";
    const state = $("run-state");
    state.className = run.message ? "failed" : "";
    state.textContent = run.running ? "" : run.message ? `${run.message} ${run.hint}` : run.done ? `Done in ${run.seconds} s. The files are in ${run.folder}.` : "Run digitizes the map with what you have said so far.";
    $("run-steps").replaceChildren(...run.steps.map(([step], i) => {
      const li = item(step), time = document.createElement("time");
      const last = i === run.steps.length - 1;
      if (last && run.running) { li.className = "now"; time.textContent = "…"; } else {
        const end = last ? run.seconds : run.steps[i + 1][1];
        time.textContent = `${Math.max(end - run.steps[i][1], 0).toFixed(1)} s`;
      }
      li.append(time);
      return li;
    }));
    $("run-result").hidden = !run.done;
    if (was && !run.running && run.done) showPanel("run");
    was = run.running;
    if (!run.done) { shownFor = ""; return; }
    $("run-summary").replaceChildren(...run.summary.map(item));
    $("run-files").replaceChildren(...Object.values(run.files).map(item));
    $("run-notes").replaceChildren(...run.notes.map(item));
    const key = `${store.state.map.id}/${run.steps.map((s) => s[1]).join()}`;
    if (key === shownFor) return;
    shownFor = key;
    const { ticket } = await post("ticket");
    $("check").src = $("check-link").href = `/result/${ticket}/check`;
    $("report-frame").src = $("report-link").href = `/result/${ticket}/report`;
  };
}

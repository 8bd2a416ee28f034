/* Requests to the server. The token stands behind the # of the address and goes into a header, nowhere else. */

const token = location.hash.slice(1);

export class Refusal extends Error {
  constructor(message, hint) { super(message); this.hint = hint; }
}

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: { "X-Geocbar-Token": token }, cache: "no-store" });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({ message: `The server answered ${answer.status}.`, hint: "" }));
    throw new Refusal(said.message, said.hint);
  }
  return answer;
}

export const get = async (path, query = {}, signal) =>
  (await ask(`/api/${path}?${new URLSearchParams(query)}`, { signal })).json();

export const blob = async (path, query = {}, signal) =>
  (await ask(`/api/${path}?${new URLSearchParams(query)}`, { signal })).blob();

export const post = async (path, details = {}) =>
  (await ask(`/api/${path}`, { method: "POST", body: JSON.stringify(details) })).json();

export const upload = async (file) =>
  (await ask(`/api/image?${new URLSearchParams({ name: file.name })}`, { method: "POST", body: file })).json();

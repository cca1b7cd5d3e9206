/** Where we are, in the URL's hash: `#/seats`, `#/board/JFK`, `#/?origin=JFK&…`. A reload or a link lands there again. */

/** @returns {{ path: string, rest: string[], params: URLSearchParams }} */
export function here() {
  const [path, query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  const [first, ...rest] = path.split("/");
  return { path: first, rest, params: new URLSearchParams(query) };
}

/** @param {string} path "seats", "board/JFK" @param {Record<string, string | number>} [params] */
export function href(path, params) {
  const query = params ? `?${new URLSearchParams(params)}` : "";
  return `#/${path}${query}`;
}

export function go(path, params) {
  location.hash = href(path, params);
}

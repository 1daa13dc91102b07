// What the page remembers: the token and the open tabs, both in sessionStorage, so that nothing outlives the browser tab.

const TOKEN_KEY = "throng:token";
const GRAPHIQL_PREFIX = "graphiql:";

/** Characters that may stand in a header; anything else was pasted by mistake. */
export function isToken(text) {
  return /^[\x21-\x7e]+$/.test(text);
}

export function readToken() {
  return sessionStorage.getItem(TOKEN_KEY) ?? "";
}

export function writeToken(token) {
  if (token) sessionStorage.setItem(TOKEN_KEY, token);
  else sessionStorage.removeItem(TOKEN_KEY);
}

/**
 * Takes `#token=…&creator=…` out of the address bar (and so out of the history and of copied links) and returns the creator.
 * A named creator starts with fresh sample tabs: those kept from before name another one.
 */
export function takeFragment() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  if (!fragment.has("token") && !fragment.has("creator")) return null;
  history.replaceState(history.state, "", location.pathname + location.search);

  const token = fragment.get("token")?.trim();
  if (token && isToken(token)) writeToken(token);
  const creator = fragment.get("creator");
  if (creator) forgetTabs();
  return creator;
}

/** The tab that was open before a reload, as GraphiQL stored it. */
export function readActiveTab() {
  try {
    const { tabs, activeTabIndex } = JSON.parse(sessionStorage.getItem(`${GRAPHIQL_PREFIX}tabState`));
    return tabs[activeTabIndex];
  } catch {
    return undefined; // nothing stored, or not by this version of GraphiQL
  }
}

function forgetTabs() {
  const keys = Array.from({ length: sessionStorage.length }, (_, index) => sessionStorage.key(index));
  for (const key of keys) if (key.startsWith(GRAPHIQL_PREFIX)) sessionStorage.removeItem(key);
}

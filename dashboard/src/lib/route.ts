// The state of a page is its address: `?view=audience&channel=c42&window=MONTH`. It stays below one path, so the page works
// behind any prefix and the server needs to know one address only.
import { useSyncExternalStore } from "react";

export const VIEWS = ["overview", "audience", "content", "video", "compare", "privacy"] as const;
export type View = (typeof VIEWS)[number];

/** What an address says besides the view; unknown names are dropped when it is written. */
export const NAMES = [
  "channel", "video", "period", "from", "to", "step", "metric", "window", "date", "sort", "a", "b", "kind",
] as const;
export type Name = (typeof NAMES)[number];
export type Route = { view: View } & Partial<Record<Name, string>>;

export function parseRoute(search: string): Route {
  const given = new URLSearchParams(search);
  const view = VIEWS.find((view) => view === given.get("view")) ?? "overview";
  const route: Route = { view };
  for (const name of NAMES) {
    const value = given.get(name);
    if (value !== null && value !== "" && value.length <= 200) route[name] = value;
  }
  return route;
}

export function routeSearch(route: Route): string {
  const search = new URLSearchParams();
  if (route.view !== "overview") search.set("view", route.view);
  for (const name of NAMES) if (route[name] !== undefined) search.set(name, route[name]);
  const text = search.toString();
  return text === "" ? "./" : `?${text}`;
}

/** What goes along to another view: the channel and the days. The rest belongs to one view. */
const KEPT: Name[] = ["channel", "period", "from", "to", "window", "date"];

/** The address of another view. */
export function toView(route: Route, view: View, more: Partial<Record<Name, string>> = {}): Route {
  const kept = Object.fromEntries(KEPT.filter((name) => route[name] !== undefined).map((name) => [name, route[name]]));
  const next: Route = { ...kept, view, ...more };
  // A channel has no windows by age.
  if (view !== "video" && next.window?.startsWith("FIRST_")) delete next.window;
  return next;
}

const CHANGED = "throng:route";

export function go(route: Route, how: "push" | "replace" = "push"): void {
  if (how === "push") history.pushState(null, "", routeSearch(route));
  else history.replaceState(null, "", routeSearch(route));
  dispatchEvent(new Event(CHANGED));
}

function subscribe(changed: () => void): () => void {
  addEventListener("popstate", changed);
  addEventListener(CHANGED, changed);
  return () => {
    removeEventListener("popstate", changed);
    removeEventListener(CHANGED, changed);
  };
}

let last = { search: "", route: parseRoute("") };

function current(): Route {
  const { search } = location;
  if (search !== last.search) last = { search, route: parseRoute(search) };
  return last.route;
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}

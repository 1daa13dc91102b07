// The token: in sessionStorage, so it ends with the tab. It comes from the form, or in the fragment of a link, which browsers
// send to no server; the fragment is taken out of the address at once.
import { useSyncExternalStore } from "react";

const KEY = "throng.token";
const listeners = new Set<() => void>();

export function token(): string | null {
  return sessionStorage.getItem(KEY);
}

export function setToken(value: string | null): void {
  if (value === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value);
  for (const listener of listeners) listener();
}

/** Takes `#token=…` (and `&creator=…`, as the playground's links have it) out of the address. */
export function takeFragment(): void {
  const given = new URLSearchParams(location.hash.slice(1));
  const found = given.get("token")?.trim();
  if (!found) return;
  const address = new URL(location.href);
  address.hash = "";
  const creator = given.get("creator");
  if (creator && !address.searchParams.has("channel")) address.searchParams.set("channel", creator);
  history.replaceState(null, "", address);
  setToken(found);
}

export function useToken(): string | null {
  return useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, token);
}

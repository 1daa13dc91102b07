// Numbers, dates and the direction of reading follow the reader's locale; the words are English.
import { useSyncExternalStore } from "react";

const KEY = "throng.locale";
const RTL = new Set(["ar", "fa", "he", "ur", "ps", "sd", "ug", "yi", "dv", "ckb"]);

/** Offered beside the browser's own. */
export const LOCALES: [tag: string, name: string][] = [
  ["en-US", "English (US)"], ["en-GB", "English (UK)"], ["de-DE", "Deutsch"], ["fr-FR", "Français"], ["es-ES", "Español"],
  ["pt-BR", "Português"], ["ar-EG", "العربية"], ["he-IL", "עברית"], ["hi-IN", "हिन्दी"], ["ja-JP", "日本語"],
];

const listeners = new Set<() => void>();
let chosen = read();

function read(): string | null {
  const stored = localStorage.getItem(KEY);
  return stored !== null && isLocale(stored) ? stored : null;
}

function isLocale(tag: string): boolean {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false;
  }
}

export function chosenLocale(): string | null {
  return chosen;
}

export function locale(): string {
  return chosen ?? navigator.languages.find(isLocale) ?? "en";
}

export function isRtl(): boolean {
  return RTL.has(locale().split("-")[0] ?? "");
}

export function setLocale(tag: string | null): void {
  chosen = tag;
  if (tag === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, tag);
  applyDirection();
  for (const listener of listeners) listener();
}

export function applyDirection(): void {
  document.documentElement.dir = isRtl() ? "rtl" : "ltr";
}

/** Draws again where the locale changes; all formats are made of `locale()`. */
export function useLocale(): string {
  return useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, locale);
}

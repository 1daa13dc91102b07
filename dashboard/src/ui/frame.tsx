// What stands around every view: the views, the channel, and how the page is read.
import type { ReactNode } from "react";
import { chosenLocale, LOCALES, setLocale } from "../lib/locale";
import { go, type Route, routeSearch, toView, useRoute, type View } from "../lib/route";
import { setToken } from "../lib/session";
import { useShell } from "../lib/shell";
import { setTheme, type Theme, useTheme } from "../lib/theme";
import { ChannelPicker } from "./channels";
import { Icon, type IconName, Mark } from "./icons";

const LINKS: { view: View; label: string; icon: IconName }[] = [
  { view: "overview", label: "Overview", icon: "overview" },
  { view: "audience", label: "Audience", icon: "audience" },
  { view: "content", label: "Content", icon: "content" },
  { view: "compare", label: "Compare", icon: "compare" },
  { view: "privacy", label: "Privacy", icon: "privacy" },
];

export function Frame({ children }: { children: ReactNode }) {
  const route = useRoute();
  const shell = useShell();
  return (
    <div className="frame">
      <a className="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to the numbers</a>
      <header className="side">
        <Link to={toView(route, "overview")} className="brand"><Mark /><span>Throng</span></Link>
        {shell && <ChannelPicker shell={shell} />}
        <nav aria-label="Views">
          {LINKS.map(({ view, label, icon }) => (
            <Link key={view} to={toView(route, view)} current={route.view === view || (view === "content" && route.view === "video")}>
              <Icon name={icon} /><span>{label}</span>
            </Link>
          ))}
        </nav>
        <Settings />
      </header>
      <main id="main" tabIndex={-1}>
        {children}
        <footer className="phone-only"><LocalePicker /></footer>
      </main>
    </div>
  );
}

/** A link that stays in the page unless it is asked to open elsewhere. */
export function Link({ to, children, className, current = false }: { to: Route; children: ReactNode; className?: string; current?: boolean }) {
  return (
    <a
      href={routeSearch(to)} className={className} aria-current={current ? "page" : undefined}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}

const THEMES: { value: Theme; icon: IconName; label: string }[] = [
  { value: "light", icon: "sun", label: "Light" },
  { value: "system", icon: "system", label: "As the system" },
  { value: "dark", icon: "moon", label: "Dark" },
];

function Settings() {
  const theme = useTheme();
  return (
    <div className="settings">
      <fieldset className="segmented icons">
        <legend className="unseen">Colours</legend>
        {THEMES.map(({ value, icon, label }) => (
          <label key={value} title={label}>
            <input type="radio" name="theme" checked={theme === value} onChange={() => setTheme(value)} aria-label={label} />
            <span><Icon name={icon} /></span>
          </label>
        ))}
      </fieldset>
      <LocalePicker />
      <button type="button" className="plain" onClick={() => setToken(null)}><Icon name="out" /><span>Sign out</span></button>
    </div>
  );
}

function LocalePicker() {
  return (
    <label className="select">
      <span className="unseen">Numbers and dates as in</span>
      <select value={chosenLocale() ?? ""} onChange={(event) => setLocale(event.target.value || null)}>
        <option value="">Browser’s language</option>
        {LOCALES.map(([tag, name]) => <option key={tag} value={tag}>{name}</option>)}
      </select>
      <Icon name="down" />
    </label>
  );
}

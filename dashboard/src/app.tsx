// Who is signed in decides between the form and the views; the address decides between the views.
import { Component, lazy, type ReactNode, Suspense, useCallback, useEffect, useMemo, useState } from "react";
import { Provider } from "urql";
import { makeClient } from "./lib/client";
import { useLocale } from "./lib/locale";
import { useRoute, type View } from "./lib/route";
import { useToken } from "./lib/session";
import { type Shell, ShellContext } from "./lib/shell";
import { Frame } from "./ui/frame";
import { Empty, Skeleton } from "./ui/states";
import { Overview } from "./views/overview";
import { SignIn } from "./views/sign-in";

const LATER = {
  audience: () => import("./views/audience"),
  content: () => import("./views/content"),
  video: () => import("./views/video"),
  compare: () => import("./views/compare"),
  privacy: () => import("./views/privacy"),
};
const Audience = lazy(LATER.audience);
const Content = lazy(LATER.content);
const Video = lazy(LATER.video);
const Compare = lazy(LATER.compare);
const Privacy = lazy(LATER.privacy);
/** Answers are kept while the tab is looked at; whoever comes back after this long gets new ones. */
const STALE_MS = 5 * 60_000;
/** After the first view is drawn the others are fetched, so that going there waits for the answer only. */
const IDLE_MS = 1_500;

export function App() {
  const token = useToken();
  const locale = useLocale();
  return token === null ? <SignIn key={locale} /> : <Signed key={`${token} ${locale}`} />;
}

/** Everything that one token may see: a client and its answers end with the token. */
function Signed() {
  const [since, setSince] = useState(Date.now);
  const client = useMemo(makeClient, [since]);
  useEffect(() => {
    const look = () => document.visibilityState === "visible" && Date.now() - since > STALE_MS && setSince(Date.now());
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, [since]);
  const [shell, setShell] = useState<Shell | null>(null);
  const learn = useCallback((found: Shell) => setShell((known) => known ?? found), []);
  const state = useMemo(() => ({ shell, learn }), [shell, learn]);
  const route = useRoute();
  const drawn = shell !== null;
  useEffect(() => {
    if (!drawn) return;
    const timer = setTimeout(() => Object.values(LATER).forEach((load) => void load()), IDLE_MS);
    return () => clearTimeout(timer);
  }, [drawn]);
  useEffect(() => {
    document.title = `${TITLES[route.view]} · Throng`;
    scrollTo(0, 0);
  }, [route.view, route.video]);
  return (
    <Provider value={client}>
      <ShellContext value={state}>
        <Frame>
          <Fence at={JSON.stringify(route)}>
            <Suspense fallback={<Skeleton />}><Shown view={route.view} /></Suspense>
          </Fence>
        </Frame>
      </ShellContext>
    </Provider>
  );
}

export const TITLES: Record<View, string> = {
  overview: "Overview", audience: "Audience", content: "Content", video: "Video", compare: "Compare", privacy: "Privacy",
};

function Shown({ view }: { view: View }) {
  switch (view) {
    case "overview": return <Overview />;
    case "audience": return <Audience />;
    case "content": return <Content />;
    case "video": return <Video />;
    case "compare": return <Compare />;
    case "privacy": return <Privacy />;
  }
}

/** A fault in one view leaves the frame standing, and is forgotten at the next address. */
class Fence extends Component<{ at: string; children: ReactNode }, { at: string; broken: boolean }> {
  override state = { at: this.props.at, broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  static getDerivedStateFromProps({ at }: { at: string }, state: { at: string }) {
    return at === state.at ? null : { at, broken: false };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return <Empty title="This view could not be drawn"><p>Reload the page. If that does not help, its address would help whoever mends it.</p></Empty>;
  }
}

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

const Audience = lazy(() => import("./views/audience"));
const Content = lazy(() => import("./views/content"));
const Video = lazy(() => import("./views/video"));
const Compare = lazy(() => import("./views/compare"));
const Privacy = lazy(() => import("./views/privacy"));

export function App() {
  const token = useToken();
  const locale = useLocale();
  return token === null ? <SignIn key={locale} /> : <Signed key={`${token} ${locale}`} />;
}

/** Everything that one token may see: a client and its answers end with the token. */
function Signed() {
  const client = useMemo(makeClient, []);
  const [shell, setShell] = useState<Shell | null>(null);
  const learn = useCallback((found: Shell) => setShell((known) => known ?? found), []);
  const state = useMemo(() => ({ shell, learn }), [shell, learn]);
  const route = useRoute();
  useEffect(() => {
    document.title = `${TITLES[route.view]} · Throng`;
    scrollTo(0, 0);
  }, [route.view, route.video]);
  return (
    <Provider value={client}>
      <ShellContext value={state}>
        <Frame>
          <Fence key={JSON.stringify(route)}>
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

/** A fault in one view leaves the frame standing. */
class Fence extends Component<{ children: ReactNode }, { broken: boolean }> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  override render() {
    if (!this.state.broken) return this.props.children;
    return <Empty title="This view could not be drawn"><p>Reload the page. If that does not help, its address would help whoever mends it.</p></Empty>;
  }
}

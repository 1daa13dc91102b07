// The head of a view, and its body in whichever state the question is.
import { type ReactNode, use, useEffect } from "react";
import type { Asked } from "../lib/client";
import { mediumDay } from "../lib/format";
import { type Shell, ShellContext } from "../lib/shell";
import { Empty, Failed, Skeleton } from "./states";

export function ViewHead({ title, sub, children }: { title: string; sub?: ReactNode; children?: ReactNode }) {
  return (
    <div className="view-head">
      <div>
        <h1>{title}</h1>
        {sub && <p className="sub">{sub}</p>}
      </div>
      {children && <div className="view-controls">{children}</div>}
    </div>
  );
}

/** Where sealing stands: insights are about sealed days alone. */
export function Sealed({ through, zone }: { through: string | null | undefined; zone: string }) {
  return (
    <span className="sealed" title={`Days begin at midnight of ${zone}. Audience insights cover sealed days only, and sealed days never change.`}>
      {through ? <>Sealed through <bdi>{mediumDay(through)}</bdi></> : "No day is sealed yet"}
    </span>
  );
}

/** Shows the last answer while a new one is on its way. */
export function Answered<Data extends object>({ asked, children, rows = 3 }: { asked: Asked<Data>; children: (data: Data) => ReactNode; rows?: number }) {
  const { learn } = use(ShellContext);
  const { data, failure, fetching, again } = asked;
  useEffect(() => {
    if (data && "channels" in data && "privacy" in data) learn(data as unknown as Shell);
  }, [data, learn]);
  if (failure && !data) return <Failed failure={failure} again={again} />;
  if (!data) return <Skeleton rows={rows} />;
  return (
    <div className={fetching ? "answer stale" : "answer"} aria-busy={fetching}>
      {failure && <Failed failure={failure} again={again} />}
      {children(data)}
    </div>
  );
}

type Listed<Node> = { edges: { node: Node }[] } | undefined;

/** The channel of an answer: the one that was named, or the token's first. */
export function channelOf<Node>(named: Node | null | undefined, first: Listed<Node>): Node | null {
  return named ?? first?.edges[0]?.node ?? null;
}

/** What an answer holds of this channel; null where the token was not granted it. The first channel of a list can be another one. */
export function granted<Node extends { id: string }>(who: { id: string }, named: Node | null | undefined, first?: Listed<Node>): Node | null {
  const found = channelOf(named, first);
  return found?.id === who.id ? found : null;
}

export function NotGranted({ what }: { what: "counters" | "insights" }) {
  return (
    <Empty title={what === "counters" ? "Counters are not open to this token" : "The audience is not open to this token"}>
      <p>This channel granted something else. Whoever runs the server can grant its {what}, too.</p>
    </Empty>
  );
}

export function NoChannel() {
  return <Empty title="No such channel"><p>There is none, or this token may not see it. Choose another one, or sign in with another token.</p></Empty>;
}

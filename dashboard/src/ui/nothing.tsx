// Where everything of the chosen days is withheld, a page of withheld cells would say one thing many times. It is said once,
// with a way to where there are numbers.
import type { ReactNode } from "react";
import { HistoryDocument, type PastFragment } from "../gql/graphql";
import { useAsked } from "../lib/client";
import { addDays, type Day } from "../lib/days";
import { days, full, monthName, yearName } from "../lib/format";
import { type Measure, valueOf } from "../lib/measure";
import { firstDay, lastDay, type Span } from "../lib/periods";
import { go, type Route, useRoute } from "../lib/route";
import { useShell } from "../lib/shell";
import { Empty } from "./states";

/** Of public counters all are disclosed or none, so one stands for them. */
export function noneOf(counters: { views: Measure }): boolean {
  return valueOf(counters.views) === null && counters.views.disclosure === "WITHHELD";
}

/** As far back as one question goes. */
const FAR_BACK = { last: 3_660 };

export function Nothing({ from, to, children }: { from: string; to: string; children?: ReactNode }) {
  const route = useRoute();
  const shell = useShell();
  const isVideo = route.view === "video";
  const { data } = useAsked(HistoryDocument, {
    known: isVideo || route.channel !== undefined, channel: isVideo ? "" : (route.channel ?? ""), isVideo, video: route.video ?? "", range: FAR_BACK,
  });
  const past = data?.video ?? data?.creator ?? data?.first?.edges[0]?.node;
  const found = past ? newestShown(past) : null;
  return (
    <Empty title="Too few viewers to show numbers">
      <p>
        Nothing is shown with fewer than {shell ? full(shell.privacy.audienceMin) : "the minimum of"} viewers behind it, and <bdi>{days(from, to)}</bdi> had fewer, or none: the two look
        the same.
      </p>
      {found && <p>The newest with numbers is <b>{found.name}</b>.</p>}
      {past && !found && <p>No month and no year of the last ten has enough viewers either.</p>}
      <div className="state-actions">
        {found && <button type="button" className="primary" onClick={() => go(toSpan(route, found.span))}>Show {found.name}</button>}
        {children}
      </div>
    </Empty>
  );
}

type Found = { name: string; span: Span };

/** The newest month with numbers, else quarter, else year: a month can be withheld for the sake of another one. */
function newestShown({ months, quarters, years }: PastFragment): Found | null {
  const shown = (points: PastFragment["months"]) => points.findLast((point) => point.counters.views.disclosure === "EXACT")?.date;
  const span = (kind: Span["kind"], date: Day): Span => ({ kind, from: firstDay(kind, date), to: lastDay(kind, date) });
  const [month, quarter, year] = [shown(months), shown(quarters), shown(years)];
  if (month) return { name: monthName(month), span: span("MONTH", month) };
  if (quarter) return { name: days(firstDay("QUARTER", quarter), lastDay("QUARTER", quarter)), span: span("QUARTER", quarter) };
  return year ? { name: yearName(year), span: span("YEAR", year) } : null;
}

/** The same view over those days, and every other view that is opened from there. */
function toSpan(route: Route, { kind, from, to }: Span): Route {
  const there: Route = { ...route, period: "range", from, to, window: kind, date: from };
  return route.view === "compare" ? { ...there, kind, a: to, b: addDays(from, -1) } : there;
}

// Where everything of the chosen days is withheld, a page of withheld cells would say one thing many times. It is said once,
// with a way to where there are numbers.
import type { ReactNode } from "react";
import { HistoryDocument } from "../gql/graphql";
import { useAsked } from "../lib/client";
import { addDays, addMonths } from "../lib/days";
import { days, full, monthName } from "../lib/format";
import { type Measure, valueOf } from "../lib/measure";
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
  const points = data?.video?.series ?? data?.creator?.series ?? data?.first?.edges[0]?.node.series;
  const newest = points?.filter((point) => point.counters.views.disclosure === "EXACT").at(-1);
  const month = newest ? `${newest.date.slice(0, 7)}-01` : null;
  return (
    <Empty title="Too few viewers to show numbers">
      <p>
        Nothing is shown with fewer than {shell ? full(shell.privacy.audienceMin) : "the minimum of"} viewers behind it, and <bdi>{days(from, to)}</bdi> had fewer, or none: the two look
        the same.
      </p>
      {month && <p>The newest month with numbers is <b>{monthName(month)}</b>.</p>}
      {points && !month && <p>No month of the last ten years has enough viewers either.</p>}
      <div className="state-actions">
        {month && <button type="button" className="primary" onClick={() => go(toMonth(route, month))}>Show {monthName(month)}</button>}
        {children}
      </div>
    </Empty>
  );
}

/** The same view over that month, and every other view that is opened from there. */
function toMonth(route: Route, month: string): Route {
  const last = addDays(addMonths(month, 1), -1);
  const there: Route = { ...route, period: "range", from: month, to: last, window: "MONTH", date: month };
  return route.view === "compare" ? { ...there, kind: "MONTH", a: last, b: addDays(month, -1) } : there;
}

// The public counters, in the words of the page.
import type { Counter } from "../gql/graphql";
import type { Unit } from "./format";
import type { Measure } from "./measure";

export type MetricKey =
  | "views" | "watchTime" | "likes" | "comments" | "shares" | "saves" | "followsGained" | "followsLost" | "impressions"
  | "profileViews" | "averageWatchTime" | "completionRate" | "engagementRate";

export type Metric = { key: MetricKey; label: string; unit: Unit; help: string; counter: Counter; summable: boolean };

export const METRICS: Metric[] = [
  { key: "views", label: "Views", unit: "count", help: "Plays", counter: "VIEWS", summable: true },
  { key: "watchTime", label: "Watch time", unit: "seconds", help: "Total time watched; loops count", counter: "WATCH_TIME", summable: true },
  { key: "likes", label: "Likes", unit: "count", help: "Likes given minus likes taken back", counter: "LIKES", summable: true },
  { key: "comments", label: "Comments", unit: "count", help: "Comments written", counter: "COMMENTS", summable: true },
  { key: "shares", label: "Shares", unit: "count", help: "Times that a video was passed on", counter: "SHARES", summable: true },
  { key: "followsGained", label: "New followers", unit: "count", help: "Followers gained", counter: "FOLLOWS_GAINED", summable: true },
  { key: "saves", label: "Saves", unit: "count", help: "Saves minus saves undone", counter: "SAVES", summable: true },
  { key: "averageWatchTime", label: "Average watch time", unit: "seconds", help: "Watch time ÷ views", counter: "AVERAGE_WATCH_TIME", summable: false },
  { key: "completionRate", label: "Watched to the end", unit: "ratio", help: "Views that reached 97 % of the length ÷ views of videos whose length is known", counter: "COMPLETION_RATE", summable: false },
  { key: "engagementRate", label: "Engagement rate", unit: "ratio", help: "(Likes + comments + shares) ÷ views", counter: "ENGAGEMENT_RATE", summable: false },
  { key: "impressions", label: "Impressions", unit: "count", help: "Times that a video was shown in a list", counter: "IMPRESSIONS", summable: true },
  { key: "profileViews", label: "Profile visits", unit: "count", help: "Openings of the profile", counter: "PROFILE_VIEWS", summable: true },
  { key: "followsLost", label: "Followers lost", unit: "count", help: "Followers lost", counter: "FOLLOWS_LOST", summable: true },
];

/** The ones that stand first. */
export const MAIN = 6;

export function metricOf(name: string | undefined): Metric {
  return METRICS.find((metric) => metric.key === name) ?? (METRICS[0] as Metric);
}

export type Counters = Record<MetricKey, Measure>;

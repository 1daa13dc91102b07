// One video: its counters, how far people watch, and who they are as a crowd.
import { lazy, Suspense } from "react";
import { VideoDocument, type VideoQuery } from "../gql/graphql";
import type { Line } from "../charts/line";
import { clock, days, mediumDay, percent } from "../lib/format";
import { type Measure, shareOf, valueOf } from "../lib/measure";
import { MAIN, METRICS, metricOf } from "../lib/metrics";
import { byAge, granularityOf, rangeOf, windowOf, withDaysBefore } from "../lib/periods";
import { go, toView, useRoute } from "../lib/route";
import { kindsOf, useShell, useView } from "../lib/shell";
import { AllWithheld, CrowdView } from "../ui/crowd";
import { Figure } from "../ui/figure";
import { Link } from "../ui/frame";
import { Icon } from "../ui/icons";
import { noneOf, Nothing } from "../ui/nothing";
import { RangePicker } from "../ui/ranges";
import { Series, Tile } from "../ui/series";
import { Empty } from "../ui/states";
import { Answered, NotGranted, Sealed, ViewHead } from "../ui/view";
import { WindowPicker } from "../ui/windows";

const LineChart = lazy(() => import("../charts/line").then((module) => ({ default: module.LineChart })));

type Who = NonNullable<VideoQuery["who"]>;
type Numbers = NonNullable<VideoQuery["numbers"]>;
type Watched = NonNullable<VideoQuery["crowd"]>["audience"];

export default function Video() {
  const route = useRoute();
  const shell = useShell();
  const range = rangeOf(route);
  const step = granularityOf(route, range.days);
  const window = windowOf(route, kindsOf(shell, "VIDEO"));
  const asked = useView(VideoDocument, {
    video: route.video ?? "", range: range.input, steps: withDaysBefore(range, step), granularity: step, window,
  });
  const video = asked.data?.who ?? null;
  const back = toView(route, "content");
  return (
    <>
      <p className="back"><Link to={back}><Icon name="previous" />All videos</Link></p>
      <ViewHead
        title={video?.title ?? route.video ?? "Video"}
        sub={video && <>{[video.publishedAt && mediumDay(video.publishedAt.slice(0, 10)), video.duration && clock(video.duration), ...video.hashtags.slice(0, 5).map((tag) => `#${tag}`)].filter(Boolean).join(" · ")} · <Sealed through={video.creator?.sealedThrough} zone={video.creator?.timeZone ?? "UTC"} /></>}
      >
        <RangePicker range={range} shown={asked.data?.numbers?.counters.range ?? null} />
      </ViewHead>
      <Answered asked={asked}>
        {(data) => data.who ? <Shown who={data.who} numbers={data.numbers ?? null} audience={data.crowd?.audience ?? null} /> : <Empty title="No such video"><p>There is none, or this token may not see it.</p></Empty>}
      </Answered>
    </>
  );
}

function Shown({ who, numbers, audience }: { who: Who; numbers: Numbers | null; audience: Watched | null }) {
  const sealedThrough = who.creator?.sealedThrough ?? null;
  const range = numbers?.counters.range;
  if (range && noneOf(numbers.counters) && (!audience || valueOf(audience.reach) === null)) return <Nothing from={range.from} to={range.to} />;
  return (
    <>
      {numbers ? <Counted numbers={numbers} /> : <NotGranted what="counters" />}
      <div className="section-head">
        <div><h2 className="section">Audience</h2><p className="note">Distinct viewers, from sealed days</p></div>
        {audience && <div className="view-controls"><WindowPicker entity="VIDEO" shown={byAge(audience.window.kind) ? null : audience.window} sealedThrough={sealedThrough} /></div>}
      </div>
      {audience
        ? <><Retention id={who.id} duration={who.duration ?? null} audience={audience} /><CrowdView crowd={audience} entity="VIDEO" sealedThrough={sealedThrough} /></>
        : <NotGranted what="insights" />}
    </>
  );
}

function Counted({ numbers }: { numbers: Numbers }) {
  const route = useRoute();
  const range = rangeOf(route);
  const step = granularityOf(route, range.days);
  const metric = metricOf(route.metric);
  const { range: shown, previousRange } = numbers.counters;
  const metrics = METRICS.filter((metric) => !["followsGained", "followsLost", "profileViews"].includes(metric.key));
  return (
    <>
      <div className="tiles" role="group" aria-label="Counters; the chosen one is drawn below">
        {metrics.filter((_, index) => index < MAIN - 1 || metrics[index]?.key === "averageWatchTime").slice(0, MAIN).map((each) => (
          <Tile key={each.key} metric={each} measure={numbers.counters[each.key]} chosen={each === metric} choose={(metric) => go({ ...route, metric: metric.key }, "replace")} />
        ))}
      </div>
      <p className="against note"><bdi>{days(shown.from, shown.to)}</bdi>{previousRange && <>, against <bdi>{days(previousRange.from, previousRange.to)}</bdi></>}</p>
      <Series metric={metric} points={numbers.series} step={step} days={range.days} from={shown.from} />
    </>
  );
}

function Retention({ id, duration, audience }: { id: string; duration: number | null; audience: Watched }) {
  const { retention, window } = audience;
  if (retention.every((point) => valueOf(point.measure) === null)) {
    // The window as a whole says so below.
    if (valueOf(audience.reach) === null) return null;
    const none = retention.some((point) => point.measure.disclosure === "NOT_APPLICABLE");
    return (
      <section className="card"><h2>How far they watched</h2>
        <AllWithheld text={none ? "The video’s length is not known, so there are no positions in it." : "Withheld: too few viewers."} />
      </section>
    );
  }
  const at = (position: number) => (duration ? clock((duration * position) / 100) : percent(position / 100, 0));
  const steps = retention.map((point) => {
    const share = shareOf(point);
    // A share with the disclosure of the number that it is made of.
    const measure: Measure = { disclosure: point.measure.disclosure, value: share };
    return { label: `${at(point.position)} (${percent(point.position / 100, 0)})`, tick: at(point.position), measure };
  });
  const lines: Line[] = [{ name: "Still watching", steps, tone: "a" }];
  const half = retention.filter((point) => (shareOf(point) ?? 0) >= 0.5).at(-1);
  return (
    <Figure
      title="How far they watched" note={`${days(window.from, window.to)}, share of viewers who reached each moment${half ? `. Half of them get to ${at(half.position)}.` : ""}`} name={`retention-${id}-${window.from}-${window.to}`}
      table={{ columns: ["Moment", "Viewers", "Share"], rows: retention.map((point) => [at(point.position), { measure: point.measure }, { share: shareOf(point) }]) }}
    >
      <Suspense fallback={<div className="plot loading" />}><LineChart lines={lines} unit="ratio" title="How far they watched" max={1} height={240} /></Suspense>
    </Figure>
  );
}

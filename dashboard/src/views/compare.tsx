// Two periods against each other: counters, one of them day over day, and the audiences where both are windows.
import { lazy, Suspense } from "react";
import { CompareDocument, type CompareCrowdFragment, type CompareCrowdsFragment, type CompareOfFragment, WatermarkDocument } from "../gql/graphql";
import { stepsOf } from "../ui/series";
import type { Line } from "../charts/line";
import { COMPARED_KINDS, daysText, kindOf, marginOfDifference, overlap, type Pair, pairOf, stepOf } from "../lib/compared";
import { addDays, type Day } from "../lib/days";
import { days, full, percent } from "../lib/format";
import { marginOf, type Measure, shareOf, valueOf } from "../lib/measure";
import { METRICS, metricOf } from "../lib/metrics";
import { around, hasNext, KIND_LABELS, lastDay, shifted, type Span } from "../lib/periods";
import { go, useRoute } from "../lib/route";
import { kindsOf, useShell, useView } from "../lib/shell";
import { countryLabel, keyLabel } from "../lib/words";
import { Segmented, Select, Stepper } from "../ui/controls";
import { Figure } from "../ui/figure";
import { noneOf, Nothing } from "../ui/nothing";
import { DateField } from "../ui/ranges";
import type { Table } from "../lib/csv";
import { Change, Missing, Value } from "../ui/value";
import { Answered, channelOf, granted, NoChannel, NotGranted, Sealed, ViewHead } from "../ui/view";

const LineChart = lazy(() => import("../charts/line").then((module) => ({ default: module.LineChart })));

export default function Compare() {
  const route = useRoute();
  const shell = useShell();
  const listed = shell?.channels.edges.map((edge) => edge.node).find((channel, index) => route.channel === undefined ? index === 0 : channel.id === route.channel);
  const asked = useView(WatermarkDocument, { known: route.channel !== undefined, channel: route.channel ?? "" }, listed !== undefined);
  if (listed) return <Periods sealedThrough={listed.sealedThrough ?? null} />;
  return (
    <>
      {!asked.data && <ViewHead title="Compare" />}
      <Answered asked={asked}>
        {(data) => {
          const channel = channelOf(data.who, data.whoFirst);
          return channel ? <Periods sealedThrough={channel.sealedThrough ?? null} /> : <NoChannel />;
        }}
      </Answered>
    </>
  );
}

function Periods({ sealedThrough }: { sealedThrough: Day | null }) {
  const route = useRoute();
  const rolling = useShell()?.privacy.rollingStepDays ?? 7;
  const pair = pairOf(route, sealedThrough ?? addDays(new Date().toISOString().slice(0, 10), -1), rolling);
  const windows = pair.kind !== "RANGE";
  const window = (to: Day) => ({ kind: pair.kind === "RANGE" ? "DAY" as const : pair.kind, date: to });
  const asked = useView(CompareDocument, {
    known: route.channel !== undefined, channel: route.channel ?? "",
    a: { from: pair.a.from, to: pair.a.to }, b: { from: pair.b.from, to: pair.b.to }, granularity: stepOf(pair),
    crowdKnown: windows && route.channel !== undefined, crowdFirst: windows && route.channel === undefined, windowA: window(pair.a.to), windowB: window(pair.b.to),
  });
  const known = asked.data ? channelOf(asked.data.who, asked.data.whoFirst) : null;
  const { a: _a, b: _b, kind: _kind, ...rest } = route;
  const windowsOffered = kindsOf(useShell(), "CREATOR");
  const offered = COMPARED_KINDS.filter((kind) => kind === "RANGE" || !windowsOffered || windowsOffered.includes(kind));
  return (
    <>
      <ViewHead title="Compare" sub={known && <>{known.handle ?? known.id} · <Sealed through={known.sealedThrough} zone={known.timeZone} /></>}>
        <Segmented label="What to compare" options={offered.map((value) => ({ value, label: value === "RANGE" ? "Dates" : KIND_LABELS[value] }))} value={kindOf(route)} choose={(kind) => go({ ...rest, kind })} />
      </ViewHead>
      <div className="pair">
        <Chosen name="a" pair={pair} sealedThrough={sealedThrough} rolling={rolling} />
        <span className="against-word">against</span>
        <Chosen name="b" pair={pair} sealedThrough={sealedThrough} rolling={rolling} />
      </div>
      {overlap(pair) && <p className="note warning">These periods share days, which count on both sides.</p>}
      <Answered asked={asked}>
        {(data) => {
          if (!known) return <NoChannel />;
          const [numbers, crowd] = [granted(known, data.numbers, data.numbersFirst), granted(known, data.crowd, data.crowdFirst)];
          if (!numbers) return <NotGranted what="counters" />;
          return <Both channel={numbers} crowd={crowd} pair={pair} />;
        }}
      </Answered>
    </>
  );
}

function Chosen({ name, pair, sealedThrough, rolling }: { name: "a" | "b"; pair: Pair; sealedThrough: Day | null; rolling: number }) {
  const route = useRoute();
  const days_ = pair[name];
  const key = <i className={`key tone-${name}`} />;
  if (pair.kind === "RANGE") {
    const change = (from: Day, to: Day) => go({ ...route, a: daysText(pair.a), b: daysText(pair.b), [name]: daysText({ from, to }) });
    return (
      <div className="chosen-days">{key}
        <div className="dates">
          <DateField label={`${name === "a" ? "First" : "Second"} period from`} value={days_.from} max={days_.to} change={(from) => change(from, days_.to)} />
          <span aria-hidden="true">–</span>
          <DateField label={`${name === "a" ? "First" : "Second"} period to`} value={days_.to} min={days_.from} change={(to) => change(days_.from, to)} />
        </div>
      </div>
    );
  }
  const span: Span = { kind: pair.kind, ...days_ };
  const move = (steps: number) => {
    go({ ...route, a: pair.a.to, b: pair.b.to, [name]: lastDay(span.kind, shifted(span, steps, rolling)) });
  };
  const newest = sealedThrough ?? days_.to;
  const jump = (day: Day) => go({ ...route, a: pair.a.to, b: pair.b.to, [name]: around(span.kind, day, newest, rolling).to });
  return (
    <div className="chosen-days">{key}
      <Stepper text={days(days_.from, days_.to)} earlier later={hasNext(span, sealedThrough, rolling)} onEarlier={() => move(-1)} onLater={() => move(1)} day={days_.to} last={newest} jump={jump} />
    </div>
  );
}

function Both({ channel, crowd, pair }: { channel: CompareOfFragment; crowd: CompareCrowdsFragment | null; pair: Pair }) {
  const route = useRoute();
  const metric = metricOf(route.metric);
  const step = stepOf(pair);
  const [a, b] = [stepsOf(channel.seriesA, metric, step), stepsOf(channel.seriesB, metric, step)];
  if (noneOf(channel.a) && noneOf(channel.b)) return <Nothing from={pair.b.from < pair.a.from ? pair.b.from : pair.a.from} to={pair.a.to > pair.b.to ? pair.a.to : pair.b.to} />;
  const lines: Line[] = [{ name: days(pair.a.from, pair.a.to), steps: a, tone: "a" }, { name: days(pair.b.from, pair.b.to), steps: b, tone: "b" }];
  const table: Table = {
    columns: ["Step", `${metric.label}, first`, "Step of the second", `${metric.label}, second`],
    rows: Array.from({ length: Math.max(a.length, b.length) }, (_, index) => [
      a[index]?.label ?? "", a[index] ? { measure: a[index].measure, unit: metric.unit } : "", b[index]?.label ?? "", b[index] ? { measure: b[index].measure, unit: metric.unit } : "",
    ]),
  };
  return (
    <>
      <Figure
        title={metric.label} note={metric.help} name={`compare-${metric.key}-${pair.a.from}-${pair.b.from}`} table={table}
        controls={<Select label="Counter" options={METRICS.map((each) => ({ value: each.key, label: each.label }))} value={metric.key} choose={(metric) => go({ ...route, metric }, "replace")} />}
        legend={<ul className="legend">{lines.map((line, index) => <li key={index}><i className={`key tone-${line.tone}`} /><bdi>{line.name}</bdi></li>)}{[...a, ...b].some((step) => valueOf(step.measure) === null) && <li><i className="key hatched" />Withheld, and gaps in the second line</li>}</ul>}
      >
        <Suspense fallback={<div className="plot loading" />}><LineChart lines={lines} unit={metric.unit} title={metric.label} /></Suspense>
      </Figure>
      <div className={crowd ? "grid-2" : ""}>
        <div className="stack">
        <section className="card" aria-labelledby="both-counters">
          <h2 id="both-counters">Counters</h2>
          <table className="rows both">
            <Head />
            <tbody>
              {METRICS.map((each) => (
                <tr key={each.key} className={each === metric ? "chosen" : ""}>
                  <th scope="row"><button type="button" className="plain" aria-pressed={each === metric} title={each.help} onClick={() => go({ ...route, metric: each.key }, "replace")}>{each.label}</button></th>
                  <td className="number"><Value measure={channel.a[each.key]} unit={each.unit} brief /></td>
                  <td className="number"><Value measure={channel.b[each.key]} unit={each.unit} brief /></td>
                  <td className="number narrow"><Change measure={against(channel.a[each.key], channel.b[each.key])} better={each.key === "followsLost" ? "down" : "up"} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        {crowd && <People a={crowd.crowdA} b={crowd.crowdB} />}
        </div>
        {crowd && <Kinds a={crowd.crowdA} b={crowd.crowdB} />}
      </div>
    </>
  );
}

function Head() {
  return (
    <thead>
      <tr>
        <th scope="col"><span className="unseen">What</span></th>
        <th scope="col" className="number"><i className="key tone-a" /><span className="unseen">First period</span></th>
        <th scope="col" className="number"><i className="key tone-b" /><span className="unseen">Second period</span></th>
        <th scope="col" className="number"><span className="unseen">Change</span></th>
      </tr>
    </thead>
  );
}

/** The change from b to a, where both are disclosed. */
function against(a: Measure, b: Measure): Measure {
  const [to, from] = [valueOf(a), valueOf(b)];
  return { ...a, change: to === null || from === null || from === 0 ? null : (to - from) / Math.abs(from) };
}

type Row = { key: string; label: string; a: Measure; b: Measure; shareA?: number | null; shareB?: number | null };

function People({ a, b }: { a: CompareCrowdFragment; b: CompareCrowdFragment }) {
  const people: Row[] = [
    { key: "reach", label: "Reach", a: a.reach, b: b.reach },
    { key: "new", label: "New viewers", a: a.newViewers, b: b.newViewers },
    { key: "returning", label: "Returning", a: a.returningViewers, b: b.returningViewers },
    { key: "followers", label: "Followers", a: a.followers, b: b.followers },
    { key: "others", label: "Not followers", a: a.nonFollowers, b: b.nonFollowers },
  ];
  return (
      <section className="card" aria-labelledby="both-people">
        <h2 id="both-people">Audience</h2>
        <table className="rows both">
          <Head />
          <tbody>
            {people.map((row) => (
              <tr key={row.key}>
                <th scope="row">{row.label}</th>
                <td className="number"><Value measure={row.a} /></td>
                <td className="number"><Value measure={row.b} /></td>
                <td className="number narrow">{certain(row.a, row.b) ? <Change measure={against(row.a, row.b)} /> : <Unsure a={row.a} b={row.b} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className="note">“Same” where the difference is smaller than its margin of error.</p>
      </section>
  );
}

/** What share of the reach each kind of viewer is. Of countries only disclosed ones appear: one that is missing on a side is withheld there. */
function Kinds({ a, b }: { a: CompareCrowdFragment; b: CompareCrowdFragment }) {
  return (
    <div className="stack">
      <Shares title="Age" rows={joined(a.ages.rows, b.ages.rows, keyLabel)} />
      <Shares title="Countries" rows={joined(a.countries.rows, b.countries.rows, countryLabel).slice(0, COUNTRIES)} />
      <Shares title="Sources" rows={joined(a.sources.rows, b.sources.rows, keyLabel)} />
    </div>
  );
}

/** Whether two numbers differ by more than the noise on both explains, 95 times of 100. */
function certain(a: Measure, b: Measure): boolean {
  const [to, from] = [valueOf(a), valueOf(b)];
  if (to === null || from === null) return false;
  return Math.abs(to - from) > marginOfDifference(marginOf(a) ?? 0, marginOf(b) ?? 0);
}

function Unsure({ a, b }: { a: Measure; b: Measure }) {
  if (valueOf(a) === null || valueOf(b) === null) return <span className="change none" aria-hidden="true">–</span>;
  return <span className="change flat">Same</span>;
}

const COUNTRIES = 12;
type Shared = { key: string; share?: number | null; measure: Measure };
const WITHHELD: Measure = { disclosure: "WITHHELD" };

function joined(a: Shared[], b: Shared[], label: (key: string) => string): Row[] {
  const keys = [...new Set([...a, ...b].map((row) => row.key))];
  const find = (rows: Shared[], key: string) => rows.find((row) => row.key === key);
  return keys.map((key) => {
    const [left, right] = [find(a, key), find(b, key)];
    return { key, label: label(key), a: left?.measure ?? WITHHELD, b: right?.measure ?? WITHHELD, shareA: left ? shareOf(left) : null, shareB: right ? shareOf(right) : null };
  });
}

function Shares({ title, rows }: { title: string; rows: Row[] }) {
  if (rows.every((row) => valueOf(row.a) === null && valueOf(row.b) === null)) return null;
  const most = Math.max(...rows.flatMap((row) => [row.shareA ?? 0, row.shareB ?? 0]), 0.01);
  const bar = (share: number | null | undefined, tone: "a" | "b") => share === null || share === undefined ? <i className="pair-bar hatched" /> : <i className={`pair-bar tone-${tone}`} style={{ inlineSize: `${(100 * share) / most}%` }} />;
  const text = (share: number | null | undefined, measure: Measure) => valueOf(measure) === null || share === null || share === undefined ? <Missing measure={measure} /> : <span data-disclosure={measure.disclosure} title={full(valueOf(measure) ?? 0)}>{percent(share)}</span>;
  return (
    <section className="card" aria-label={title}>
      <h2>{title}</h2>
      <p className="note">Share of the reach</p>
      <table className="pairs">
        <thead className="unseen"><tr><th scope="col">{title}</th><th scope="col">Bars</th><th scope="col">First period</th><th scope="col">Second period</th></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.key}>
              <th scope="row">{row.label}</th>
              <td aria-hidden="true">{bar(row.shareA, "a")}{bar(row.shareB, "b")}</td>
              <td className="number">{text(row.shareA, row.a)}</td>
              <td className="number">{text(row.shareB, row.b)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

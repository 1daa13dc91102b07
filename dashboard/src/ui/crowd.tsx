// Everything that one window tells of an audience, for a channel and for a video alike.
import { lazy, type ReactNode, Suspense } from "react";
import type { CrowdFragment, RowsFragment } from "../gql/graphql";
import { Bars, type Bar } from "../charts/bars";
import { HeatMap } from "../charts/heat";
import { Pyramid } from "../charts/pyramid";
import { days, full, hour, longDay, percent, weekday } from "../lib/format";
import { marginOf, type Measure, shareOf, valueOf } from "../lib/measure";
import { KIND_LABELS } from "../lib/periods";
import { go, useRoute } from "../lib/route";
import { kindsOf, useShell } from "../lib/shell";
import { ageLabel, AGES, countryLabel, GENDER_LABELS, keyLabel, STAGE_LABELS } from "../lib/words";
import { Figure } from "./figure";
import { Nothing } from "./nothing";
import { Split } from "./split";
import { Empty } from "./states";
import type { Table } from "../lib/csv";
import { Margin, Missing, Value } from "./value";

// On its way while the question is.
const map = import("../charts/map").then((module) => ({ default: module.WorldMap }));
const WorldMap = lazy(() => map);

type Entity = "CREATOR" | "VIDEO";

export function CrowdView({ crowd, entity, sealedThrough }: { crowd: CrowdFragment; entity: Entity; sealedThrough: string | null }) {
  const { reach, window } = crowd;
  if (reach.disclosure === "NOT_SEALED")
    return (
      <Empty title="These days are not sealed yet">
        <p>Insights cover whole, sealed windows. This one ends on <b>{longDay(window.to)}</b>{sealedThrough ? <>; days are sealed through <b>{longDay(sealedThrough)}</b>.</> : ", and no day is sealed yet."}</p>
      </Empty>
    );
  if (reach.disclosure === "NOT_APPLICABLE")
    return <Empty title="Nothing is kept of these days"><p>Their events have been dropped for their age, or this window does not exist here.</p></Empty>;
  if (nothing(crowd)) return <TooFew crowd={crowd} entity={entity} />;
  return (
    <>
      <Numbers crowd={crowd} entity={entity} />
      <div className="grid-2">
        <AgeGender crowd={crowd} />
        <Countries crowd={crowd} />
      </div>
      <div className="grid-2">
        <Breakdown title="Where they found it" note="A viewer stands in each source used" name="sources" rows={crowd.sources} overlapping />
        <div className="stack">
          <Breakdown title="Devices" note="Of each viewer’s last view" name="devices" rows={crowd.devices} />
          <Funnel crowd={crowd} />
        </div>
      </div>
      <Hours crowd={crowd} />
    </>
  );
}

/** Whether no number of the window is disclosed at all. */
function nothing(crowd: CrowdFragment): boolean {
  const all: Measure[] = [
    crowd.reach, crowd.newViewers, crowd.returningViewers, crowd.followers, crowd.nonFollowers,
    ...[crowd.countries, crowd.ages, crowd.genders, crowd.devices, crowd.sources].flatMap((rows) => rows.rows.map((row) => row.measure)),
    ...crowd.ageGender.map((cell) => cell.measure), ...crowd.activeHours.map((cell) => cell.measure), ...crowd.funnel.map((stage) => stage.measure),
  ];
  return all.every((measure) => valueOf(measure) === null);
}

/** Longer windows have more viewers. */
function TooFew({ crowd, entity }: { crowd: CrowdFragment; entity: Entity }) {
  const route = useRoute();
  const shell = useShell();
  const { from, to, kind } = crowd.window;
  const longer = (kindsOf(shell, entity) ?? []).filter((other) => ["LAST_28_DAYS", "MONTH", "QUARTER", "YEAR"].includes(other) && other !== kind);
  return (
    <Nothing from={from} to={to}>
      {longer.map((window) => <button key={window} type="button" onClick={() => { const { date: _date, ...rest } = route; go({ ...rest, window }); }}>{KIND_LABELS[window]}</button>)}
    </Nothing>
  );
}

function Numbers({ crowd, entity }: { crowd: CrowdFragment; entity: Entity }) {
  const { reach, newViewers, returningViewers, followers, nonFollowers, engagementPerReach } = crowd;
  return (
    <div className="numbers card">
      <div>
        <h2>Reach</h2>
        <p className="big"><Value measure={reach} /></p>
        <p className="note">Viewers, each counted once however often they came</p>
      </div>
      {entity === "CREATOR" && (
        <div>
          <h2>New and returning</h2>
          <Split parts={[{ label: "New", measure: newViewers, tone: "a" }, { label: "Returning", measure: returningViewers, tone: "b" }]} />
        </div>
      )}
      <div>
        <h2>Followers</h2>
        <Split parts={[{ label: "Followers", measure: followers, tone: "a" }, { label: "Others", measure: nonFollowers, tone: "b" }]} />
      </div>
      <div>
        <h2>Engaged</h2>
        <p className="big"><Engaged measure={engagementPerReach} /></p>
        <p className="note">Viewers who liked, commented, shared, saved or followed ÷ reach</p>
      </div>
    </div>
  );
}

function Engaged({ measure }: { measure: Measure }) {
  const value = valueOf(measure);
  if (value === null) return <Missing measure={measure} />;
  return <span className="value" data-disclosure={measure.disclosure}><bdi>{percent(value)}</bdi>{measure.marginOfError ? <Margin size={measure.marginOfError} unit="ratio" /> : null}</span>;
}

function AgeGender({ crowd }: { crowd: CrowdFragment }) {
  const table: Table = {
    columns: ["Age", "Gender", "Viewers", "Share"],
    rows: AGES.flatMap((age) => crowd.ageGender.filter((cell) => cell.age === age).map((cell) => [ageLabel(age), GENDER_LABELS[cell.gender], { measure: cell.measure }, { share: shareOf(cell) }])),
  };
  return (
    <Figure title="Age and gender" note={note(crowd, `share of the reach${around(crowd.ageGender.map((cell) => cell.measure))}`)} name={fileName(crowd, "age-gender")} table={table}>
      <Guard measures={crowd.ageGender.filter((cell) => cell.age !== "UNKNOWN" && (cell.gender === "FEMALE" || cell.gender === "MALE")).map((cell) => cell.measure)}><Pyramid cells={crowd.ageGender} /></Guard>
      <ul className="inline-list" aria-label="By gender">
        {crowd.genders.rows.map((row) => {
          const share = shareOf(row);
          return <li key={row.key}>{row.key === "other" ? "Other genders" : row.key === "unknown" ? "Not said" : keyLabel(row.key)} <b>{share === null ? <Missing measure={row.measure} /> : percent(share, 0)}</b></li>;
        })}
      </ul>
    </Figure>
  );
}

function Countries({ crowd }: { crowd: CrowdFragment }) {
  const { rows, other } = crowd.countries;
  const table: Table = {
    columns: ["Country", "Viewers", "Share"],
    rows: [...rows.map((row) => [countryLabel(row.key), { measure: row.measure }, { share: shareOf(row) }]), ["All others", { measure: other }, { share: null }]],
  };
  return (
    <Figure title="Countries" note={note(crowd, "of each viewer’s last view")} name={fileName(crowd, "countries")} table={table}>
      {rows.some((row) => row.country)
        ? <Suspense fallback={<div className="plot map-loading" />}><WorldMap rows={rows} /></Suspense>
        : <AllWithheld text="No country had enough viewers to be shown." />}
      {rows.length > 0 && (
            <ol className="ranked">
              {rows.slice(0, 8).map((row) => (
                <li key={row.key}><span>{countryLabel(row.key)}</span><Value measure={row.measure} /><b>{shareOf(row) === null ? "" : percent(shareOf(row) ?? 0)}</b></li>
              ))}
              <li className="rest"><span>{rows.length > 8 ? `${full(rows.length - 8)} more in the table` : "All others"}</span>{rows.length > 8 ? <span /> : <Value measure={other} />}<b /></li>
            </ol>
      )}
    </Figure>
  );
}

function Breakdown({ title, note: text, name, rows, overlapping = false }: { title: string; note: string; name: string; rows: RowsFragment; overlapping?: boolean }) {
  const bars: Bar[] = rows.rows.map((row) => ({ key: row.key, label: keyLabel(row.key), measure: row.measure, share: shareOf(row) }));
  const shown = bars.filter((bar) => valueOf(bar.measure) !== null);
  const hidden = bars.length - shown.length;
  const table: Table = { columns: [title, "Viewers", "Share"], rows: bars.map((bar) => [bar.label, { measure: bar.measure }, { share: bar.share ?? null }]) };
  return (
    <Figure title={title} note={`${overlapping ? `${text}: shares add up to more than a whole` : text}${around(bars.map((bar) => bar.measure))}`} name={name} table={table}>
      <Guard measures={bars.map((bar) => bar.measure)}><Bars bars={shown} title={title} /></Guard>
      {hidden > 0 && shown.length > 0 && (
        <p className="hidden-rows"><i className="key hatched" />Withheld: {bars.filter((bar) => valueOf(bar.measure) === null).map((bar) => bar.label).join(", ")}</p>
      )}
    </Figure>
  );
}

function Funnel({ crowd }: { crowd: CrowdFragment }) {
  const bars: Bar[] = crowd.funnel.map((stage) => ({ key: stage.stage, label: STAGE_LABELS[stage.stage], measure: stage.measure, share: shareOf(stage) }));
  const table: Table = { columns: ["Stage", "Viewers", "Share"], rows: bars.map((bar) => [bar.label, { measure: bar.measure }, { share: bar.share ?? null }]) };
  return (
    <Figure title="How far they went" note={`Everyone with any event; each stage and beyond${around(bars.map((bar) => bar.measure))}`} name={fileName(crowd, "funnel")} table={table}>
      <Guard measures={bars.map((bar) => bar.measure)}><Bars bars={bars} title="How far they went" /></Guard>
    </Figure>
  );
}

function Hours({ crowd }: { crowd: CrowdFragment }) {
  const table: Table = {
    columns: ["Day", "Hour", "Viewers", "Share"],
    rows: crowd.activeHours.map((cell, index) => [weekday(Math.floor(index / 24), "long"), hour(cell.hour), { measure: cell.measure }, { share: shareOf(cell) }]),
  };
  return (
    <Figure title="When they are active" note={`Viewers with a view in each hour of the week, in the channel’s own zone${around(crowd.activeHours.map((cell) => cell.measure))}`} name={fileName(crowd, "active-hours")} table={table}>
      <Guard measures={crowd.activeHours.map((cell) => cell.measure)}><HeatMap cells={crowd.activeHours} /></Guard>
    </Figure>
  );
}

/** A chart of which every cell is withheld is one sentence. */
function Guard({ measures, children }: { measures: Measure[]; children: ReactNode }) {
  if (measures.some((measure) => valueOf(measure) !== null)) return <>{children}</>;
  const [first] = measures;
  if (first?.disclosure === "NOT_APPLICABLE") return <AllWithheld text="There are no such numbers here." />;
  return <AllWithheld text="Withheld: too few viewers in every cell." />;
}

export function AllWithheld({ text }: { text: string }) {
  return <div className="all-withheld" data-disclosure="WITHHELD"><p>{text}</p></div>;
}

/** The widest margin of a chart's numbers: within one table they hardly differ. */
function around(measures: Measure[]): string {
  const margins = measures.map((measure) => marginOf(measure)).filter((margin) => margin !== null);
  return margins.length === 0 ? "" : `. Each number ± ${full(Math.max(...margins))}.`;
}

function note(crowd: CrowdFragment, what: string): string {
  return `${days(crowd.window.from, crowd.window.to)}, ${what}`;
}

function fileName(crowd: CrowdFragment, what: string): string {
  return `${what}-${crowd.window.from}-${crowd.window.to}`;
}

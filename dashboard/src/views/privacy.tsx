// The policy in force, in plain words first and in full below. Needs no token, but is asked with it like everything else.
import { PrivacyDocument, type PrivacyQuery, type WindowKind } from "../gql/graphql";
import { full, mediumDay } from "../lib/format";
import { locale } from "../lib/locale";
import { KIND_LABELS, KINDS } from "../lib/periods";
import { useView } from "../lib/shell";
import { Select } from "../ui/controls";
import { Answered, ViewHead } from "../ui/view";
import { go, useRoute } from "../lib/route";

type Policy = PrivacyQuery["policy"];

export default function Privacy() {
  const asked = useView(PrivacyDocument, { });
  return (
    <>
      <ViewHead title="Privacy" sub="Why some numbers are not here, and why others carry a ±" />
      <Answered asked={asked}>{(data) => <Told policy={data.policy} server={data.status.version} />}</Answered>
    </>
  );
}

function Told({ policy, server }: { policy: Policy; server: string }) {
  const noise = policy.protection === "NOISE";
  return (
    <>
      <div className="grid-3 facts">
        <Fact head={`${full(policy.audienceMin)} viewers`} text={`stand behind every number here, at least. With fewer it is withheld, and withheld looks the same for none and for ${full(policy.audienceMin - 1)}.`} />
        {noise
          ? <Fact head="A little noise" text="lies over every number about who watches, drawn once for ever: asking again, or elsewhere, gives the same. The ± beside a number is where the true one lies, 95 times of 100." />
          : <Fact head="Exact or withheld" text="Numbers about who watches are exact. Tables are withheld as a whole where what is left out would tell of a few." />}
        <Fact head="Sealed days only" text={`Audience insights cover days that can no longer change. 7- and 28-day windows end every ${full(policy.rollingStepDays)} days, so that answers cannot be subtracted from each other.`} />
      </div>
      <section className="card" aria-labelledby="how-shown">
        <h2 id="how-shown">How to read this dashboard</h2>
        <dl className="reading">
          <div><dt><b>24,781 <small className="margin">± 22</small></b></dt><dd>A number of viewers with its margin of error.</dd></div>
          <div><dt><b>59,803</b></dt><dd>A public counter, as anyone sees it under a video: exact, today included.</dd></div>
          <div><dt><span className="missing" data-disclosure="WITHHELD">Withheld</span></dt><dd>Too few viewers, or it would give such a number away. Hatched in charts, and never drawn as nothing.</dd></div>
          <div><dt><span className="missing" data-disclosure="NOT_SEALED">Not sealed</span></dt><dd>The days are still open. It appears once they are sealed.</dd></div>
          <div><dt><span className="missing" data-disclosure="NOT_APPLICABLE">None</span></dt><dd>There is no such number, such as a share of nothing.</dd></div>
        </dl>
      </section>
      <section className="card prose" aria-labelledby="promise">
        <h2 id="promise">What is promised</h2>
        <p>{policy.statement}</p>
        {policy.rho !== null && policy.rho !== undefined && (
          <ul className="inline-list" aria-label="The bound">
            <li>ρ <b>{number(policy.rho)}</b></li>
            <li>ε <b>{number(policy.epsilon ?? 0)}</b></li>
            <li>δ <b>{number(policy.delta ?? 0)}</b></li>
          </ul>
        )}
      </section>
      <div className="grid-2">
        <List title="What is exact for everyone" items={policy.invariants} />
        <List title="What is not protected" items={policy.notProtected} />
      </div>
      {noise && <Noise policy={policy} />}
      <p className="note">
        Policy <code>{policy.version}</code>, server {server}. The least minimum that this server can be configured with: {full(policy.audienceMinFloor)}.{" "}
        {policy.generation > 0 ? `Viewers were erased ${full(policy.generation)} times, last through ${mediumDay(policy.generations.at(-1)?.date ?? "1970-01-01")}.` : "No viewer has been erased."}
        {policy.eventsKeptFrom ? ` Events are kept from ${mediumDay(policy.eventsKeptFrom)} on.` : ""}{" "}
        This page is made of <a href="assets/LICENSES.txt">open source</a>.
      </p>
    </>
  );
}

function Fact({ head, text }: { head: string; text: string }) {
  return <section className="card fact"><h2>{head}</h2><p>{text}</p></section>;
}

function List({ title, items }: { title: string; items: string[] }) {
  return <section className="card prose"><h2>{title}</h2><ul className="bullets">{items.map((item) => <li key={item}>{item}</li>)}</ul></section>;
}

function number(value: number): string {
  return new Intl.NumberFormat(locale(), value < 0.001 ? { notation: "scientific" } : { maximumFractionDigits: 2 }).format(value);
}

const FAMILIES: Record<string, string> = {
  REACH: "Reach", NOVELTY: "New and returning", FOLLOWER_STATUS: "Followers", COUNTRY: "Countries", REGION: "Regions", AGE: "Age", GENDER: "Gender",
  AGE_GENDER: "Age and gender", DEVICE: "Devices", TRAFFIC_SOURCE: "Sources", ACTIVE_HOURS: "Active hours", RETENTION: "How far they watched", FUNNEL: "How far they went",
};

function Noise({ policy }: { policy: Policy }) {
  const route = useRoute();
  const entity = route.kind === "VIDEO" || route.kind === "HASHTAG" ? route.kind : "CREATOR";
  const rows = policy.catalogue.filter((row) => row.entity === entity);
  const kinds = KINDS.filter((kind) => rows.some((row) => row.windows.includes(kind)));
  const level = (row: (typeof rows)[number], kind: WindowKind) => row.noise.find((level) => level.window === kind);
  return (
    <section className="card" aria-labelledby="noise">
      <div className="card-head">
        <div>
          <h2 id="noise">How precise each question is</h2>
          <p className="note">Half the 95 % interval, in viewers, and below it the least number that is shown</p>
        </div>
        <Select label="About" options={[{ value: "CREATOR", label: "A channel" }, { value: "VIDEO", label: "A video" }, { value: "HASHTAG", label: "A hashtag" }]} value={entity} choose={(kind) => go({ ...route, kind }, "replace")} />
      </div>
      <div className="table-scroll noise" tabIndex={0} role="region" aria-label="How precise each question is">
        <table className="data">
          <thead><tr><th scope="col">Question</th>{kinds.map((kind) => <th key={kind} scope="col" className="number">{KIND_LABELS[kind]}</th>)}</tr></thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.family}>
                <th scope="row">{FAMILIES[row.family] ?? row.family}</th>
                {kinds.map((kind) => {
                  const found = level(row, kind);
                  return <td key={kind} className="number">{found ? <>± {full(1.96 * found.sigma)}<br /><span className="note">from {full(found.shownFrom)}</span></> : "–"}</td>;
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

// How the channel does: counters against the period before, one of them over time, and the crowd in a few numbers.
import { type Granularity, type OverviewCrowdFragment, OverviewDocument, type OverviewOfFragment } from "../gql/graphql";
import { clock, days, full, mediumDay, percent } from "../lib/format";
import { shareOf, valueOf } from "../lib/measure";
import { MAIN, type Metric, METRICS, metricOf } from "../lib/metrics";
import { granularityOf, rangeOf, windowBeside, withDaysBefore } from "../lib/periods";
import { go, toView, useRoute } from "../lib/route";
import { useView } from "../lib/shell";
import { countryLabel } from "../lib/words";
import { Link } from "../ui/frame";
import { RangePicker } from "../ui/ranges";
import { Series, Tile } from "../ui/series";
import { noneOf, Nothing } from "../ui/nothing";
import { Split } from "../ui/split";
import { Change, Missing, Value } from "../ui/value";
import { Answered, channelOf, granted, NoChannel, NotGranted, Sealed, ViewHead } from "../ui/view";

export function Overview() {
  const route = useRoute();
  const range = rangeOf(route);
  const step = granularityOf(route, range.days);
  const asked = useView(OverviewDocument, {
    known: route.channel !== undefined,
    channel: route.channel ?? "",
    range: range.input,
    steps: withDaysBefore(range, step),
    granularity: step,
    window: windowBeside(range),
  });
  const known = asked.data ? channelOf(asked.data.who, asked.data.whoFirst) : null;
  return (
    <>
      <ViewHead title="Overview" sub={known && <>{known.handle ?? known.id} · <Sealed through={known.sealedThrough} zone={known.timeZone} /></>}>
        <RangePicker range={range} shown={channelOf(asked.data?.numbers, asked.data?.numbersFirst)?.counters.range ?? null} />
      </ViewHead>
      <Answered asked={asked}>
        {(data) => {
          const who = channelOf(data.who, data.whoFirst);
          if (!who) return <NoChannel />;
          const [numbers, crowd] = [granted(who, data.numbers, data.numbersFirst), granted(who, data.crowd, data.crowdFirst)];
          if (!numbers) return <><NotGranted what="counters" />{crowd && <Crowd channel={crowd} />}</>;
          return <Channel channel={numbers} crowd={crowd} step={step} days={range.days} />;
        }}
      </Answered>
    </>
  );
}

function Channel({ channel, crowd, step, days: count }: { channel: OverviewOfFragment; crowd: OverviewCrowdFragment | null; step: Granularity; days: number }) {
  const route = useRoute();
  const metric = metricOf(route.metric);
  const { range, previousRange } = channel.counters;
  if (noneOf(channel.counters)) return <Nothing from={range.from} to={range.to} />;
  const choose = (metric: Metric) => go({ ...route, metric: metric.key }, "replace");
  return (
    <>
      <div className="tiles" role="group" aria-label="Counters; the chosen one is drawn below">
        {METRICS.slice(0, MAIN).map((each) => <Tile key={each.key} metric={each} measure={channel.counters[each.key]} chosen={each === metric} choose={choose} />)}
      </div>
      <p className="against note">
        <bdi>{days(range.from, range.to)}</bdi>{previousRange && <>, against <bdi>{days(previousRange.from, previousRange.to)}</bdi></>}
      </p>
      <Series metric={metric} points={channel.series} step={step} days={count} from={range.from} />
      <div className="grid-2">
        <section className="card" aria-labelledby="more-counters">
          <h2 id="more-counters">All counters</h2>
          <table className="rows">
            <thead className="unseen"><tr><th scope="col">Counter</th><th scope="col">Value</th><th scope="col">Change</th></tr></thead>
            <tbody>
              {METRICS.map((each) => (
                <tr key={each.key} className={each === metric ? "chosen" : ""}>
                  <th scope="row"><button type="button" className="plain" title={each.help} aria-pressed={each === metric} onClick={() => choose(each)}>{each.label}</button></th>
                  <td className="number"><Value measure={channel.counters[each.key]} unit={each.unit} /></td>
                  <td className="number narrow"><Change measure={channel.counters[each.key]} better={each.key === "followsLost" ? "down" : "up"} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
        <div className="stack">
          {crowd && <Crowd channel={crowd} />}
          <Best channel={channel} />
        </div>
      </div>
    </>
  );
}

function Crowd({ channel }: { channel: OverviewCrowdFragment }) {
  const route = useRoute();
  const { window, reach, newViewers, returningViewers, followers, nonFollowers, countries } = channel.audience;
  return (
    <section className="card" aria-labelledby="crowd">
      <div className="card-head">
        <h2 id="crowd">Audience</h2>
        <Link to={toView(route, "audience")} className="more">All of it</Link>
      </div>
      <p className="note"><bdi>{days(window.from, window.to)}</bdi></p>
      <p className="big"><Value measure={reach} /> <span className="unit">viewers reached</span></p>
      <Split parts={[{ label: "New", measure: newViewers, tone: "a" }, { label: "Returning", measure: returningViewers, tone: "b" }]} />
      <Split parts={[{ label: "Followers", measure: followers, tone: "a" }, { label: "Others", measure: nonFollowers, tone: "b" }]} />
      {countries.rows.length > 0 && (
        <ul className="inline-list" aria-label="Countries with most viewers">
          {countries.rows.map((row) => {
            const share = shareOf(row);
            return <li key={row.key}>{countryLabel(row.key)} <b>{share === null ? <Missing measure={row.measure} /> : percent(share, 0)}</b></li>;
          })}
        </ul>
      )}
    </section>
  );
}

function Best({ channel }: { channel: OverviewOfFragment }) {
  const route = useRoute();
  return (
    <section className="card" aria-labelledby="best">
      <div className="card-head">
        <h2 id="best">Most viewed</h2>
        <Link to={toView(route, "content")} className="more">All videos</Link>
      </div>
      {channel.topVideos.length === 0 && <p className="note">No video had enough viewers in this period to be ranked.</p>}
      <ol className="best">
        {channel.topVideos.map(({ video, value }) => (
          <li key={video.id}>
            <Link to={toView(route, "video", { video: video.id })}>
              <span className="best-title">{video.title ?? video.id}</span>
              <span className="note">{[video.publishedAt && mediumDay(video.publishedAt.slice(0, 10)), video.duration && clock(video.duration)].filter(Boolean).join(" · ")}</span>
            </Link>
            <b title={`${full(valueOf(value) ?? 0)} views`}><Value measure={value} brief /></b>
          </li>
        ))}
      </ol>
    </section>
  );
}

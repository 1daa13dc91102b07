// The channel's videos: the best by one counter, or all of them by age.
import { type ReactNode, useState } from "react";
import { ContentDocument, type ContentOfFragment, type Counter, type ListedVideoFragment, type VideoOrder } from "../gql/graphql";
import { clock, days, full, mediumDay } from "../lib/format";
import { METRICS, type MetricKey } from "../lib/metrics";
import { rangeOf } from "../lib/periods";
import { go, toView, useRoute } from "../lib/route";
import { useView } from "../lib/shell";
import { Select } from "../ui/controls";
import { Menu } from "../ui/figure";
import { Link } from "../ui/frame";
import { Icon } from "../ui/icons";
import { noneOf, Nothing } from "../ui/nothing";
import { RangePicker } from "../ui/ranges";
import { Empty } from "../ui/states";
import { csv, type Table } from "../lib/csv";
import { Missing, Value } from "../ui/value";
import { Answered, channelOf, granted, NoChannel, NotGranted, Sealed, ViewHead } from "../ui/view";
import { downloadCsv } from "../lib/download";

type Column = { key: MetricKey & keyof ListedVideoFragment["counters"]; head: string };
const COLUMNS: Column[] = [
  { key: "views", head: "Views" },
  { key: "averageWatchTime", head: "Avg. watch" },
  { key: "completionRate", head: "Finished" },
  { key: "likes", head: "Likes" },
  { key: "comments", head: "Comments" },
  { key: "shares", head: "Shares" },
  { key: "engagementRate", head: "Engagement" },
];

const PAGE = 25;
const MOST = 100;
type Sort = { ranked: boolean; by: Counter; order: VideoOrder; name: string };

function sortOf(name: string | undefined): Sort {
  if (name === "newest" || name === "oldest") return { ranked: false, by: "VIEWS", order: name === "newest" ? "NEWEST" : "OLDEST", name };
  const metric = METRICS.find((metric) => metric.key === name && metric.key !== "followsLost") ?? METRICS[0];
  return { ranked: true, by: metric?.counter ?? "VIEWS", order: "ID", name: metric?.key ?? "views" };
}

export default function Content() {
  const route = useRoute();
  const range = rangeOf(route);
  const sort = sortOf(route.sort);
  // Ranked lists grow; lists by age have pages, and these are the cursors of those before.
  const [first, setFirst] = useState(PAGE);
  const [before, setBefore] = useState<string[]>([]);
  const restart = () => {
    setFirst(PAGE);
    setBefore([]);
  };
  const asked = useView(ContentDocument, {
    known: route.channel !== undefined, channel: route.channel ?? "",
    range: range.input, ranked: sort.ranked, by: sort.by, order: sort.order, first: sort.ranked ? first : PAGE, after: before.at(-1) ?? null,
  });
  const known = asked.data ? channelOf(asked.data.who, asked.data.whoFirst) : null;
  const shown = known && asked.data ? granted(known, asked.data.numbers, asked.data.numbersFirst) : null;
  const pages = ({ topVideos, videos }: ContentOfFragment) => {
    if (topVideos) {
      if (topVideos.length < first) return null;
      return first < MOST ? <button type="button" onClick={() => setFirst(first + PAGE)}>Show more</button> : <p className="note">{full(MOST)} at most are ranked.</p>;
    }
    const next = videos?.pageInfo.hasNextPage ? videos.pageInfo.endCursor : null;
    return (
      <>
        {before.length > 0 && <button type="button" onClick={() => setBefore(before.slice(0, -1))}>Previous {full(PAGE)}</button>}
        {next && <button type="button" onClick={() => setBefore([...before, next])}>Next {full(PAGE)}</button>}
      </>
    );
  };
  const options = [
    { value: "newest", label: "Newest" }, { value: "oldest", label: "Oldest" },
    ...METRICS.filter((metric) => metric.key !== "followsLost").map((metric) => ({ value: metric.key as string, label: `Most: ${metric.label.toLowerCase()}` })),
  ];
  return (
    <>
      <ViewHead title="Content" sub={known && <>{known.handle ?? known.id} · <Sealed through={known.sealedThrough} zone={known.timeZone} /></>}>
        <RangePicker range={range} shown={shown?.counters.range ?? null} />
        <Select label="Sort by" options={options} value={sort.name} choose={(sort) => { restart(); go({ ...route, sort }); }} />
      </ViewHead>
      <Answered asked={asked} rows={2}>
        {() => {
          if (!known) return <NoChannel />;
          return shown ? <List channel={shown} sort={sort} restart={restart}>{pages(shown)}</List> : <NotGranted what="counters" />;
        }}
      </Answered>
    </>
  );
}

function List({ channel, sort, restart, children }: { channel: ContentOfFragment; sort: Sort; restart: () => void; children: ReactNode }) {
  const route = useRoute();
  const videos = channel.topVideos?.map((ranked) => ranked.video) ?? channel.videos?.edges.map((edge) => edge.node) ?? [];
  const { from, to } = channel.counters.range;
  // What a list is ranked by is shown, also where it is none of the usual columns.
  const by = METRICS.find((metric) => metric.key === sort.name);
  const ranks = channel.topVideos && by && !COLUMNS.some((column) => column.key === by.key) ? channel.topVideos.map((ranked) => ranked.value) : null;
  if (videos.length === 0)
    return sort.ranked
      ? (
        <Nothing from={from} to={to}><button type="button" onClick={() => go({ ...route, sort: "newest" })}>All videos by age</button></Nothing>
      )
      : <Empty title="No videos yet"><p>They appear here once the catalogue knows them.</p></Empty>;
  const table: Table = {
    columns: ["Video", "Id", "Published", "Length", ...(ranks && by ? [by.label] : []), ...COLUMNS.map((column) => column.head)],
    rows: videos.map((video, index) => [video.title ?? video.id, video.id, video.publishedAt?.slice(0, 10) ?? "", video.duration ? clock(video.duration) : "", ...(ranks?.[index] ? [{ measure: ranks[index] }] : []), ...COLUMNS.map((column) => ({ measure: video.counters[column.key] }))]),
  };
  return (
    <section className="card videos-card" aria-labelledby="videos">
      <div className="card-head">
        <div>
          <h2 id="videos">{sort.ranked ? `By ${METRICS.find((metric) => metric.key === sort.name)?.label.toLowerCase()}` : sort.name === "newest" ? "Newest first" : "Oldest first"}</h2>
          <p className="note"><bdi>{days(from, to)}</bdi>{sort.ranked && ". Videos with too few viewers are not ranked."}</p>
        </div>
        <Menu label="More of the videos"><button type="button" onClick={() => downloadCsv(`videos-${from}-${to}`, csv(table))}><Icon name="file" />Download CSV</button></Menu>
      </div>
      <table className="videos">
        <thead>
          <tr>
            <th scope="col">Video</th>
            {ranks && by && <th scope="col" className="number" aria-sort="descending">{by.label} <span aria-hidden="true">↓</span></th>}
            {COLUMNS.map((column) => {
              const chosen = sort.name === column.key;
              return <th key={column.key} scope="col" className="number" aria-sort={chosen ? "descending" : "none"}><button type="button" className="plain" onClick={() => { restart(); go({ ...route, sort: column.key }); }}>{column.head}{chosen && <span aria-hidden="true"> ↓</span>}</button></th>;
            })}
          </tr>
        </thead>
        <tbody>
          {videos.map((video, index) => (
            <tr key={video.id}>
              <th scope="row">
                <Link to={toView(route, "video", { video: video.id })} className="video-link">
                  <span className="poster" aria-hidden="true">{video.duration ? clock(video.duration) : "–"}</span>
                  <span className="video-text"><span className="best-title">{video.title ?? video.id}</span><span className="note">{video.publishedAt ? mediumDay(video.publishedAt.slice(0, 10)) : "Date unknown"}</span></span>
                </Link>
              </th>
              {ranks?.[index] && by && <td className="number" data-label={by.label}><Value measure={ranks[index]} unit={by.unit} /></td>}
              {noneOf(video.counters)
                ? <td colSpan={COLUMNS.length} className="number none"><Missing measure={video.counters.views} /></td>
                : COLUMNS.map((column) => <td key={column.key} className="number" data-label={column.head}><Value measure={video.counters[column.key]} unit={METRICS.find((metric) => metric.key === column.key)?.unit ?? "count"} /></td>)}
            </tr>
          ))}
        </tbody>
      </table>
      <div className="pages">{children}</div>
    </section>
  );
}

//! For tests of whole inputs: random events, writers of every format, and a reader of whole files.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use ::parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use throng_model::{
    AgeBand, CodedEvent, Country, CreatorId, Device, Event, EventId, EventNames, Follower, Gender, Kind, Region,
    Source, Timestamp, Traits, VideoId, ViewerId,
};

use super::limits::Rules;
use super::{InputError, Limits, LineError, Reader};

/// The same cases on every run.
pub(super) fn proptest_config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, rng_seed: RngSeed::Fixed(7), failure_persistence: None, ..ProptestConfig::default() }
}

pub(super) fn rules() -> Rules {
    Limits::default().rules(Timestamp::MAX)
}

/// The same event, borrowing nothing.
pub(super) fn owned(event: Event<'_>) -> Event<'static> {
    Event {
        event_id: event.event_id.into_owned(),
        viewer: event.viewer.into_owned(),
        creator: event.creator.map(CreatorId::into_owned),
        video: event.video.map(VideoId::into_owned),
        ts: event.ts,
        kind: event.kind,
        watch_ms: event.watch_ms,
        source: event.source,
        traits: event.traits,
    }
}

fn traits() -> impl Strategy<Value = Traits> {
    let country = prop::sample::select(Country::all().collect::<Vec<_>>());
    let region = "[0-9A-Z]{1,3}".prop_map(Some);
    (
        prop::option::of((country, prop_oneof![Just(None), region])),
        prop::option::of(prop::sample::select(AgeBand::ALL)),
        prop::option::of(prop::sample::select(Gender::ALL)),
        prop::option::of(prop::sample::select(Device::ALL)),
        prop::option::of(prop::sample::select(Follower::ALL)),
    )
        .prop_map(|(place, age, gender, device, follower)| {
            let (country, suffix) = place.unzip();
            let region = country.zip(suffix.flatten()).and_then(|(country, suffix): (Country, String)| {
                Region::from_code(&format!("{}-{suffix}", country.code()))
            });
            Traits { country, region, age, gender, device, follower }
        })
}

/// Any valid event.
pub(super) fn event() -> impl Strategy<Value = Event<'static>> {
    let text = "[^\\p{Cc}]{1,16}";
    (
        (text, Timestamp::MIN.millis()..=Timestamp::MAX.millis(), prop::sample::select(Kind::ALL), text),
        (prop::option::of(text), prop::option::of(text), text, any::<u32>(), prop::sample::select(Source::ALL)),
        traits(),
    )
        .prop_map(|((event_id, ts, kind, viewer), (creator, video, other, watch_ms, source), traits)| {
            let creator = if video.is_none() && creator.is_none() { Some(other.clone()) } else { creator };
            let video = if kind.needs_video() { video.or(Some(other)) } else { video };
            Event {
                event_id: EventId::parse(event_id).expect("event id"),
                ts: Timestamp::from_millis(ts).expect("time"),
                kind,
                viewer: ViewerId::parse(viewer).expect("viewer"),
                creator: creator.map(|id| CreatorId::parse(id).expect("creator")),
                video: video.map(|id| VideoId::parse(id).expect("video")),
                watch_ms: if kind == Kind::View { watch_ms } else { 0 },
                source,
                traits,
            }
        })
}

/// A plain event, told apart from others by its number.
pub(super) fn numbered(number: usize) -> Event<'static> {
    Event {
        event_id: EventId::parse(format!("e{number}")).expect("event id"),
        ts: Timestamp::from_millis(1_773_057_600_000 + number as i64).expect("time"),
        kind: Kind::View,
        viewer: ViewerId::parse(format!("u{}", number % 97)).expect("viewer"),
        creator: Some(CreatorId::parse(format!("c{}", number % 7)).expect("creator")),
        video: Some(VideoId::parse(format!("v{}", number % 31)).expect("video")),
        watch_ms: number as u32,
        source: Source::ForYou,
        traits: Traits { country: Country::from_code("NP"), ..Traits::default() },
    }
}

/// An event's fields as text, `None` where absent, in the order of [`COLUMNS`].
fn cells(event: &Event<'_>) -> [Option<String>; 14] {
    let traits = &event.traits;
    [
        Some(event.event_id.as_str().to_owned()),
        Some(event.ts.millis().to_string()),
        Some(event.kind.name().to_owned()),
        Some(event.viewer.as_str().to_owned()),
        event.creator.as_ref().map(|id| id.as_str().to_owned()),
        event.video.as_ref().map(|id| id.as_str().to_owned()),
        (event.kind == Kind::View).then(|| event.watch_ms.to_string()),
        Some(event.source.name().to_owned()),
        traits.country.map(|country| country.code().to_owned()),
        traits.region.map(Region::code),
        traits.age.map(|age| age.name().to_owned()),
        traits.gender.map(|gender| gender.name().to_owned()),
        traits.device.map(|device| device.name().to_owned()),
        traits.follower.map(|follower| follower.name().to_owned()),
    ]
}

pub(super) const COLUMNS: [&str; 14] = [
    "event_id", "ts", "kind", "viewer", "creator", "video", "watch_ms", "source", "country", "region", "age", "gender",
    "device", "follower",
];

pub(super) fn ndjson(events: &[Event<'_>]) -> Vec<u8> {
    let mut text = Vec::new();
    for event in events {
        let fields = COLUMNS.iter().zip(cells(event)).filter_map(|(name, cell)| {
            let cell = cell?;
            let bare = matches!(*name, "ts" | "watch_ms" | "follower");
            let value = if bare { cell } else { serde_json::to_string(&cell).expect("json") };
            Some(format!("\"{name}\":{value}"))
        });
        writeln!(text, "{{{}}}", fields.collect::<Vec<_>>().join(",")).expect("memory");
    }
    text
}

pub(super) fn csv(events: &[Event<'_>]) -> Vec<u8> {
    let quoted = |cell: &str| format!("\"{}\"", cell.replace('"', "\"\""));
    let mut text = format!("{}\r\n", COLUMNS.join(",")).into_bytes();
    for event in events {
        let row: Vec<String> = cells(event).iter().map(|cell| cell.as_deref().map_or(String::new(), quoted)).collect();
        text.extend_from_slice(format!("{}\r\n", row.join(",")).as_bytes());
    }
    text
}

/// Writes row groups of some rows each.
pub(super) fn parquet(events: &[Event<'_>], group_rows: usize, properties: WriterProperties) -> Vec<u8> {
    parquet_cells(&events.iter().map(byte_cells).collect::<Vec<_>>(), group_rows, properties)
}

/// An event's fields as bytes, in the order of [`COLUMNS`].
pub(super) type Cells = [Option<Vec<u8>>; 14];

pub(super) fn byte_cells(event: &Event<'_>) -> Cells {
    cells(event).map(|cell| cell.map(String::into_bytes))
}

/// The same of rows whose texts may be anything.
pub(super) fn parquet_cells(rows: &[Cells], group_rows: usize, properties: WriterProperties) -> Vec<u8> {
    let types = COLUMNS.map(|name| match name {
        "event_id" | "kind" | "viewer" => format!("required binary {name} (string);"),
        "ts" => format!("required int64 {name} (timestamp(millis,true));"),
        "watch_ms" => format!("optional int64 {name};"),
        "follower" => format!("optional boolean {name};"),
        _ => format!("optional binary {name} (string);"),
    });
    let schema = parse_message_type(&format!("message events {{ {} }}", types.join(" "))).expect("schema");
    let mut file = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut file, Arc::new(schema), Arc::new(properties)).expect("writer");
    for rows in rows.chunks(group_rows) {
        let mut group = writer.next_row_group().expect("group");
        for (at, name) in COLUMNS.iter().enumerate() {
            let column: Vec<Option<&[u8]>> = rows.iter().map(|row| row.get(at).and_then(Option::as_deref)).collect();
            parquet_column(&mut group, name, &column);
        }
        group.close().expect("group");
    }
    writer.close().expect("file");
    file
}

fn parquet_column(group: &mut SerializedRowGroupWriter<'_, &mut Vec<u8>>, name: &str, cells: &[Option<&[u8]>]) {
    let levels: Vec<i16> = cells.iter().map(|cell| i16::from(cell.is_some())).collect();
    // Required columns ignore the levels.
    let levels = Some(levels.as_slice());
    let cells = cells.iter().flatten();
    let text = |cell: &[u8]| String::from_utf8(cell.to_vec()).expect("text");
    let mut column = group.next_column().expect("column").expect("a column is left");
    match name {
        "ts" | "watch_ms" => {
            let values: Vec<i64> = cells.map(|cell| text(cell).parse().expect("integer")).collect();
            column.typed::<Int64Type>().write_batch(&values, levels, None).expect("values");
        }
        "follower" => {
            let values: Vec<bool> = cells.map(|cell| *cell == b"true").collect();
            column.typed::<BoolType>().write_batch(&values, levels, None).expect("values");
        }
        _ => {
            let values: Vec<ByteArray> = cells.map(|cell| ByteArray::from(cell.to_vec())).collect();
            column.typed::<ByteArrayType>().write_batch(&values, levels, None).expect("values");
        }
    }
    column.close().expect("column");
}

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

pub(super) fn zstd(bytes: &[u8]) -> Vec<u8> {
    ::zstd::stream::encode_all(bytes, 1).expect("memory")
}

/// The event with its names.
fn whole<'a>(event: &CodedEvent<'a>, names: &EventNames<'a>) -> Event<'a> {
    Event {
        event_id: EventId::parse(event.event_id).expect("event id"),
        ts: event.ts,
        kind: event.kind,
        viewer: ViewerId::parse(names.viewers.get(event.viewer).expect("viewer")).expect("viewer"),
        creator: event.creator.map(|at| CreatorId::parse(names.creators.get(at).expect("creator")).expect("creator")),
        video: event.video.map(|at| VideoId::parse(names.videos.get(at).expect("video")).expect("video")),
        watch_ms: event.watch_ms,
        source: event.source,
        traits: event.traits,
    }
}

/// What came of a file.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) events: Vec<Event<'static>>,
    pub(super) errors: Vec<LineError>,
    pub(super) end: Option<InputError>,
    /// Batches that could be read by columns; they said the same.
    pub(super) coded: usize,
}

/// Reads a file to its end, as events.
pub(super) fn read(path: &Path) -> Outcome {
    let mut outcome = Outcome::default();
    match Reader::open(path, &Limits::default()) {
        Ok(reader) => read_on(reader, &mut outcome),
        Err(error) => outcome.end = Some(error),
    }
    outcome
}

pub(super) fn read_on(mut reader: Reader, outcome: &mut Outcome) {
    loop {
        match reader.next_batch() {
            Ok(Some(batch)) => {
                let decoded = batch.events(&rules());
                let by_columns = batch.coded(&rules()).map(|(told, coded)| {
                    let mut events = Vec::new();
                    let names = coded.names();
                    let is_sound = coded.each_part(|part| events.extend(part.iter().map(|event| whole(event, &names))));
                    (told, events, is_sound)
                });
                if let Some((told, events, true)) = by_columns {
                    assert_eq!((&told.lines, told.ignored_fields), (&decoded.lines, decoded.ignored_fields));
                    assert_eq!(decoded.errors.count(), 0);
                    assert_eq!(events, decoded.rows);
                    outcome.coded += 1;
                }
                outcome.errors.extend_from_slice(decoded.errors.listed());
                outcome.events.extend(decoded.rows.into_iter().map(owned));
            }
            Ok(None) => return,
            Err(error) => {
                outcome.end = Some(error);
                return;
            }
        }
    }
}

/// Writes bytes to a file of this name in a scratch directory and reads it.
pub(super) fn read_bytes(name: &str, bytes: &[u8]) -> Outcome {
    let scratch = tempfile::tempdir().expect("directory");
    let path = scratch.path().join(name);
    std::fs::write(&path, bytes).expect("file");
    read(&path)
}

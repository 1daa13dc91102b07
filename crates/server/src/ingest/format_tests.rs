//! Every format carries every event, and files are read the same however they are cut, packed or resumed.

use std::sync::Arc;

use ::parquet::basic::{Compression as Codec, Encoding, ZstdLevel};
use ::parquet::data_type::{
    ByteArray, ByteArrayType, DoubleType, FixedLenByteArray, FixedLenByteArrayType, Int32Type, Int64Type, Int96,
    Int96Type,
};
use ::parquet::file::properties::{WriterProperties, WriterVersion};
use ::parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use ::parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use throng_model::{Event, Hashtag};

use super::line::LineErrorCode as Code;
use super::testkit::{
    self, COLUMNS, Cells, Outcome, byte_cells, csv, event, gzip, ndjson, numbered, parquet, parquet_cells, read_bytes,
    read_on, rules, zstd,
};
use super::{CatalogueRow, Content, InputError, Limits, Reader};

fn properties(version: WriterVersion, codec: Codec, dictionary: bool) -> WriterProperties {
    WriterProperties::builder()
        .set_writer_version(version)
        .set_compression(codec)
        .set_dictionary_enabled(dictionary)
        .set_data_page_row_count_limit(1_000)
        .set_write_batch_size(500)
        .build()
}

fn assert_read(name: &str, bytes: &[u8], events: &[Event<'_>]) {
    let outcome = read_bytes(name, bytes);
    assert!(outcome.end.is_none(), "{name}: {:?}", outcome.end);
    assert_eq!(outcome.errors, [], "{name}");
    assert_eq!(outcome.events, events, "{name}");
}

proptest! {
    #![proptest_config(testkit::proptest_config(64))]

    #[test]
    fn every_format_carries_every_event(events in prop::collection::vec(event(), 1..40), group in 1_usize..20) {
        let (lines, records) = (ndjson(&events), csv(&events));
        assert_read("plain", &lines, &events);
        assert_read("a.ndjson.gz", &gzip(&lines), &events);
        assert_read("a.csv", &records, &events);
        assert_read("header", &zstd(&records), &events);
        let plain = properties(WriterVersion::PARQUET_1_0, Codec::UNCOMPRESSED, false);
        assert_read("a", &parquet(&events, group, plain), &events);
        let packed = properties(WriterVersion::PARQUET_2_0, Codec::ZSTD(ZstdLevel::default()), true);
        assert_read("b.parquet", &parquet(&events, group, packed), &events);
    }
}

#[test]
fn every_parquet_codec_is_read() {
    let events: Vec<_> = (0..5_000).map(numbered).collect();
    for codec in [Codec::SNAPPY, Codec::GZIP(Default::default()), Codec::LZ4_RAW] {
        for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
            assert_read("a.parquet", &parquet(&events, 3_000, properties(version, codec, true)), &events);
        }
    }
}

/// Reads a file in batches and checks that going on from the end of each gives the rest.
fn assert_resumable(name: &str, bytes: &[u8], events: &[Event<'_>], batches: usize) {
    let scratch = tempfile::tempdir().expect("directory");
    let path = scratch.path().join(name);
    std::fs::write(&path, bytes).expect("file");
    let limits = Limits::default();
    let mut reader = Reader::open(&path, &limits).expect("open");
    let (mut taken, mut seen, mut bytes_read) = (0, 0, 0);
    while let Some(batch) = reader.next_batch().expect("batch") {
        taken += batch.events(&rules()).rows.len();
        seen += 1;
        assert!(batch.bytes_read() > bytes_read, "{name}: progress stands still");
        bytes_read = batch.bytes_read();
        let mut again = Reader::open(&path, &limits).expect("open");
        again.skip_to(batch.position()).expect("skip");
        let mut rest = Outcome::default();
        read_on(again, &mut rest);
        assert!(rest.end.is_none() && rest.errors.is_empty(), "{name}");
        assert_eq!(rest.events, events[taken..], "{name} from {}", batch.position());
    }
    assert_eq!((taken, seen, bytes_read), (events.len(), batches, reader.bytes()), "{name}");
}

#[test]
fn batches_cover_a_file_and_any_of_them_can_be_the_last_before_a_restart() {
    let events: Vec<_> = (0..140_000).map(numbered).collect();
    assert_resumable("a.ndjson", &ndjson(&events), &events, 3);
    assert_resumable("a.ndjson.zst", &zstd(&ndjson(&events)), &events, 3);
    assert_resumable("a.csv.gz", &gzip(&csv(&events)), &events, 3);
    // A batch ends with its row group.
    for (group_rows, batches) in [(140_000, 3), (90_000, 3), (30_000, 5)] {
        let properties = properties(WriterVersion::PARQUET_1_0, Codec::SNAPPY, true);
        assert_resumable("a.parquet", &parquet(&events, group_rows, properties), &events, batches);
    }
}

/// A file of rows in each way that texts are written in: with and without dictionaries, with some that end early, and in an
/// encoding that only the library reads.
fn encoded(rows: &[Cells], group_rows: usize) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for version in [WriterVersion::PARQUET_1_0, WriterVersion::PARQUET_2_0] {
        for way in ["plain", "dictionary", "both", "delta"] {
            let builder = WriterProperties::builder()
                .set_writer_version(version)
                .set_dictionary_enabled(matches!(way, "dictionary" | "both"))
                .set_dictionary_page_size_limit(if way == "both" { 40 } else { 1 << 20 })
                .set_data_page_row_count_limit(70)
                .set_write_batch_size(10);
            let builder = match way {
                "delta" => COLUMNS
                    .into_iter()
                    .filter(|name| !matches!(*name, "ts" | "watch_ms" | "follower"))
                    .fold(builder, |builder, name| {
                        builder.set_column_encoding(name.into(), Encoding::DELTA_BYTE_ARRAY)
                    }),
                "plain" => builder.set_encoding(Encoding::PLAIN),
                _ => builder,
            };
            let bytes = parquet_cells(rows, group_rows, builder.build());
            files.push((format!("{way} {version:?}"), bytes));
        }
    }
    files
}

#[test]
fn texts_are_the_same_however_they_are_encoded() {
    let events: Vec<_> = (0..1_500).map(numbered).collect();
    let rows: Vec<_> = events.iter().map(byte_cells).collect();
    for (way, bytes) in encoded(&rows, 900) {
        let outcome = read_bytes("a.parquet", &bytes);
        assert_eq!((outcome.events, outcome.errors.len(), outcome.coded), (events.clone(), 0, 2), "{way}");
    }
}

proptest! {
    #![proptest_config(testkit::proptest_config(48))]

    #[test]
    fn bad_texts_cost_their_own_rows_however_they_are_encoded(
        numbers in prop::collection::vec(0..40_usize, 1..300),
        bad in prop::collection::vec((any::<prop::sample::Index>(), 0..14_usize, prop_oneof![
            Just(None), Just(Some(vec![])), Just(Some(b"secret".to_vec())), Just(Some(b"a\0b".to_vec())),
            Just(Some(vec![0xff])), Just(Some(vec![b'x'; 200])), Just(Some(vec![b'x'; 20_000])), Just(Some(b"US-CA".to_vec())),
        ]), 0..6),
        group_rows in 1..200_usize,
    ) {
        let mut rows: Vec<_> = numbers.iter().map(|&number| byte_cells(&numbered(number))).collect();
        for (row, column, cell) in bad {
            let (required, number) = (matches!(column, 0 | 2 | 3), matches!(column, 1 | 6 | 13));
            if !(number || required && cell.is_none()) {
                rows[row.index(numbers.len())][column] = cell;
            }
        }
        let files = encoded(&rows, group_rows);
        let outcomes: Vec<_> = files.iter().map(|(way, bytes)| (way, read_bytes("a.parquet", bytes))).collect();
        let (_, last) = outcomes.last().expect("files");
        prop_assert!(last.end.is_none());
        prop_assert_eq!(last.events.len() + last.errors.len(), rows.len());
        for (way, outcome) in &outcomes {
            prop_assert!(outcome.end.is_none(), "{}", way);
            prop_assert_eq!(&outcome.errors, &last.errors, "{}", way);
            prop_assert_eq!(&outcome.events, &last.events, "{}", way);
        }
    }
}

#[test]
fn lines_keep_their_numbers_over_blank_ones_and_odd_ends() {
    let [one, two, three] = [0, 1, 2].map(|n| String::from_utf8(ndjson(&[numbered(n)])).expect("utf-8"));
    let text = format!("\u{feff}{}\r\n\r\n  \n{two}bad\n{}", one.trim(), three.trim());
    let outcome = read_bytes("a.ndjson", text.as_bytes());
    assert_eq!(outcome.events, [numbered(0), numbered(1), numbered(2)]);
    assert_eq!(
        outcome.errors.iter().map(|error| (error.line, error.code)).collect::<Vec<_>>(),
        [(5, Code::MalformedJson)]
    );
}

#[test]
fn csv_keeps_line_numbers_over_quoted_line_breaks() {
    let text = "\u{feff}kind , event_id,extra,ts,viewer,creator,follower,watch_ms\r\n\
        follow,e1,\"two\r\nlines, \"\"quoted\"\"\",2026-03-09T12:00:00Z,u1,c1,true,\n\
        \n\
        follow,e2,,1773057600000,u2,c2,yes,\r\n\
        follow,e3,,1773057600000,u3\r\n\
        follow,e4,,1773057600000,u4,c1,,,,\r\n\
        follow,\"e\n5\",,1773057600000,u4,c1,,\r\n\
        view,e6,,1773057600000,u4,c1,,\r\n\
        follow,e7,,99999999999999999999,u4,c1,,\r\n\
        follow,e8,,1773057600000.0,u4,c1,false,";
    let outcome = read_bytes("a.csv", text.as_bytes());
    let ids: Vec<_> = outcome.events.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!(ids, ["e1"]);
    let errors: Vec<_> = outcome.errors.iter().map(|error| (error.line, error.field, error.code)).collect();
    assert_eq!(
        errors,
        [
            (5, Some("follower"), Code::WrongType),
            (6, None, Code::RaggedRow),
            (7, None, Code::RaggedRow),
            (8, Some("event_id"), Code::ControlCharacter),
            (10, Some("video"), Code::MissingField),
            (11, Some("ts"), Code::OutOfRange),
            (12, Some("ts"), Code::WrongType),
        ]
    );
}

#[test]
fn a_header_must_have_what_rows_need() {
    let error = |text: &str| read_bytes("a.csv", text.as_bytes()).end.expect("an error").to_string();
    assert_eq!(error("event_id,kind\n1,2\n"), "required columns are missing: ts, viewer, creator or video");
    assert_eq!(error("event_id,kind,event_id\n"), "there are two columns named event_id");
    assert_eq!(error("video,title\n"), "required columns are missing: creator");
    assert!(matches!(read_bytes("a.csv", b"").end, Some(InputError::Empty)));
    assert!(matches!(read_bytes("a.csv", &b"x,".repeat(1_100)).end, Some(InputError::HeaderTooLong { .. })));
}

#[test]
fn a_file_is_told_by_its_content_before_its_name() {
    let scratch = tempfile::tempdir().expect("directory");
    let open = |name: &str, bytes: &[u8]| {
        let path = scratch.path().join(name);
        std::fs::write(&path, bytes).expect("file");
        Reader::open(&path, &Limits::default()).map(|reader| (reader.format(), reader.content()))
    };
    let events = [numbered(0)];
    let file = parquet(&events, 1, WriterProperties::default());
    let video = b"{\"creator\":\"c\",\"video\":\"v\"}\n";
    assert_eq!(open("a.csv", &ndjson(&events)).expect("open"), ("ndjson", Content::Events));
    assert_eq!(open("a.json", &csv(&events)).expect("open"), ("csv", Content::Events));
    assert_eq!(open("a.ndjson", &file).expect("open"), ("parquet", Content::Events));
    assert_eq!(open("a.txt", &gzip(video)).expect("open"), ("ndjson", Content::Catalogue));
    let late = [b"garbage\n{\"x\":1}\n\n".as_slice(), video].concat();
    assert_eq!(open("a.jsonl", &late).expect("open"), ("ndjson", Content::Catalogue));
    assert_eq!(open("b.csv", b"creator,time_zone\n").expect("open"), ("csv", Content::Catalogue));
    assert!(matches!(open("a", &gzip(&file)), Err(InputError::PackedParquet)));
    assert!(matches!(open("a.json", b"[\n{\"creator\":1}]"), Err(InputError::JsonList)));
    assert!(matches!(open("a", b"\x89PNG\r\n"), Err(InputError::Unrecognised)));
    assert!(matches!(open("a", b" \n"), Err(InputError::Empty)));
    assert!(matches!(Reader::open(&scratch.path().join("none"), &Limits::default()), Err(InputError::Io(_))));
}

/// A file of one row group.
fn file(schema: &str, write: impl FnOnce(&mut SerializedRowGroupWriter<'_, &mut Vec<u8>>)) -> Vec<u8> {
    let schema = parse_message_type(&format!("message rows {{ {schema} }}")).expect("schema");
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, Arc::new(schema), Arc::default()).expect("writer");
    let mut group = writer.next_row_group().expect("group");
    write(&mut group);
    group.close().expect("group");
    writer.close().expect("file");
    bytes
}

macro_rules! column {
    ($group:expr, $type:ty, $values:expr, $defs:expr, $reps:expr) => {{
        let mut column = $group.next_column().expect("column").expect("a column is left");
        column.typed::<$type>().write_batch($values, $defs, $reps).expect("values");
        column.close().expect("column");
    }};
}

fn texts(texts: &[&str]) -> Vec<ByteArray> {
    texts.iter().map(|text| ByteArray::from(*text)).collect()
}

#[test]
fn parquet_types_of_other_writers_are_read() {
    let uuid: Vec<u8> = (0..16).collect();
    for (kind, ts) in [("int64 ts (timestamp(micros,false))", 1_773_057_600_123_456), ("int64 ts", 1_773_057_600_123)] {
        let schema = format!(
            "required fixed_len_byte_array(16) event_id (uuid); required {kind}; required binary kind; required binary \
             viewer (enum); required binary creator; required binary video; optional double watch_ms; optional int32 extra;"
        );
        let bytes = file(&schema, |group| {
            column!(group, FixedLenByteArrayType, &[FixedLenByteArray::from(uuid.clone())], None, None);
            column!(group, Int64Type, &[ts], None, None);
            for text in ["view", "u", "c", "v"] {
                column!(group, ByteArrayType, &texts(&[text]), None, None);
            }
            column!(group, DoubleType, &[250.0], Some(&[1]), None);
            column!(group, Int32Type, &[], Some(&[0]), None);
        });
        let outcome = read_bytes("a.parquet", &bytes);
        let [event] = outcome.events.as_slice() else { panic!("one event: {outcome:?}") };
        assert_eq!(event.event_id.as_str(), "00010203-0405-0607-0809-0a0b0c0d0e0f");
        assert_eq!((event.ts.millis(), event.watch_ms), (1_773_057_600_123, 250));
    }
}

#[test]
fn int96_times_and_unsigned_integers_are_read() {
    let mut noon = Int96::new();
    let nanos: u64 = 12 * 3_600 * 1_000_000_000;
    // 2026-03-09 is day 2,461,109 of the Julian calendar.
    noon.set_data(nanos as u32, (nanos >> 32) as u32, 2_461_109);
    let schema = "required binary event_id; required int96 ts; required binary kind; required binary viewer; \
        required binary video; required int64 watch_ms (integer(64,false));";
    let bytes = file(schema, |group| {
        column!(group, ByteArrayType, &texts(&["e1", "e2"]), None, None);
        column!(group, Int96Type, &[noon, noon], None, None);
        for text in ["view", "u", "v"] {
            column!(group, ByteArrayType, &texts(&[text, text]), None, None);
        }
        column!(group, Int64Type, &[7, -1], None, None);
    });
    let outcome = read_bytes("a.parquet", &bytes);
    let [event] = outcome.events.as_slice() else { panic!("one event: {outcome:?}") };
    assert_eq!(event.ts.to_string(), "2026-03-09T12:00:00.000Z");
    let [error] = outcome.errors.as_slice() else { panic!("one error: {outcome:?}") };
    assert_eq!((error.line, error.field, error.code), (2, Some("watch_ms"), Code::OutOfRange));
}

#[test]
fn a_wrong_parquet_column_is_refused_before_any_row() {
    let error = |schema: &str| {
        let bytes = file(schema, |group| {
            while let Some(column) = group.next_column().expect("column") {
                column.close().expect("column");
            }
        });
        read_bytes("a.parquet", &bytes).end.expect("an error").to_string()
    };
    let rest = "required binary kind; required binary viewer; required binary creator;";
    assert_eq!(
        error(&format!("required int32 ts; required binary event_id; {rest}")),
        "column ts is INT32, and must be a timestamp, an INT64 of milliseconds, or RFC 3339 text"
    );
    assert_eq!(
        error(&format!("required int64 ts; required int64 event_id; {rest}")),
        "column event_id is INT64, and must be a string"
    );
    assert_eq!(
        error(&format!(
            "required int64 ts; required binary event_id; optional group device {{ optional binary name; }} {rest}"
        )),
        "column device is nested BYTE_ARRAY, and must be a string"
    );
    assert_eq!(error("required binary event_id;"), "required columns are missing: ts, kind, viewer, creator or video");
}

fn catalogue(name: &str, bytes: &[u8]) -> Vec<CatalogueRow> {
    let scratch = tempfile::tempdir().expect("directory");
    let path = scratch.path().join(name);
    std::fs::write(&path, bytes).expect("file");
    let mut reader = Reader::open(&path, &Limits::default()).expect("open");
    assert_eq!(reader.content(), Content::Catalogue);
    let batch = reader.next_batch().expect("batch").expect("rows");
    let decoded = batch.catalogue(&rules());
    assert_eq!(decoded.errors.listed(), []);
    decoded.rows
}

fn hashtags(row: &CatalogueRow) -> Vec<&str> {
    match row {
        CatalogueRow::Video(row) => row.hashtags.iter().map(Hashtag::as_str).collect(),
        CatalogueRow::Creator(_) => panic!("a video"),
    }
}

#[test]
fn hashtags_are_lists_where_there_are_lists_and_bars_elsewhere() {
    let text = "video,creator,hashtags,time_zone\nv1,c1,#A|b|a,\nv2,c1,,\n,c1,,Asia/Kathmandu\n";
    let rows = catalogue("a.csv", text.as_bytes());
    assert_eq!((hashtags(&rows[0]), hashtags(&rows[1])), (vec!["a", "b"], vec![]));
    assert!(matches!(&rows[2], CatalogueRow::Creator(row) if row.time_zone.name() == "Asia/Kathmandu"));

    let owners = "required binary video (string); required binary creator (string);";
    let ids = [texts(&["v1", "v2", "v3", "v4"]), texts(&["c1", "c1", "c1", "c1"])];
    let list = "optional group hashtags (list) { repeated group list { optional binary element (string); } }";
    let lists = file(&format!("{owners} {list}"), |group| {
        ids.iter().for_each(|ids| column!(group, ByteArrayType, ids, None, None));
        // [a, b], null, [], [null, c]
        let (defs, reps) = ([3, 3, 0, 1, 2, 3], [0, 1, 0, 0, 0, 1]);
        column!(group, ByteArrayType, &texts(&["a", "B", "c"]), Some(&defs), Some(&reps));
    });
    let rows = catalogue("a.parquet", &lists);
    assert_eq!(rows.iter().map(hashtags).collect::<Vec<_>>(), [vec!["a", "b"], vec![], vec![], vec!["c"]]);

    let strings = file(&format!("{owners} optional binary hashtags (string);"), |group| {
        ids.iter().for_each(|ids| column!(group, ByteArrayType, ids, None, None));
        column!(group, ByteArrayType, &texts(&["a|B", "", "c"]), Some(&[1, 1, 0, 1]), None);
    });
    let rows = catalogue("a.parquet", &strings);
    assert_eq!(rows.iter().map(hashtags).collect::<Vec<_>>(), [vec!["a", "b"], vec![], vec![], vec!["c"]]);
}

//! Damaged, hostile and oversized input: nothing panics, memory stays bounded, and the good rows survive.

use std::io::{self, Cursor, Read, Write};
use std::path::Path;

use ::parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use throng_model::{Event, Timestamp};

use super::compression::unpack;
use super::csv::RecordReader;
use super::line::LineErrorCode as Code;
use super::ndjson::LineReader;
use super::testkit::{
    self, Outcome, csv, event, gzip, ndjson, numbered, owned, parquet, read_bytes, read_on, rules, zstd,
};
use super::{Body, BodyTooLarge, InputError, Limits, Reader};

/// Decodes a body as events; the lines and codes of its errors.
fn body(bytes: &[u8]) -> (Vec<Event<'static>>, Vec<(u64, Code)>) {
    let body = Body::open(bytes, &Limits::default()).expect("within the limits");
    let decoded = body.events(&rules());
    let errors = decoded.errors.listed().iter().map(|error| (error.line, error.code)).collect();
    (decoded.rows.into_iter().map(owned).collect(), errors)
}

fn text(lines: &[Vec<u8>]) -> Vec<u8> {
    lines.join(&b'\n')
}

fn garbage() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..80).prop_map(|mut bytes| {
        bytes.retain(|&byte| byte != b'\n');
        bytes
    })
}

proptest! {
    #![proptest_config(testkit::proptest_config(256))]

    #[test]
    fn good_lines_among_garbage_survive(
        events in prop::collection::vec(event(), 1..12),
        garbage in prop::collection::vec((garbage(), 0_usize..12), 0..12),
    ) {
        let mut lines: Vec<_> = events.iter().map(|event| ndjson(std::slice::from_ref(event)).trim_ascii().to_vec()).collect();
        // In front, so that the text does not begin like a packed one.
        let first = lines.remove(0);
        for (line, at) in garbage {
            lines.insert(at.min(lines.len()), line);
        }
        lines.insert(0, first);
        let text = text(&lines);
        let outcome = read_bytes("a.ndjson", &text);
        prop_assert!(outcome.end.is_none());
        prop_assert_eq!(&outcome.events, &events);
        prop_assert_eq!(body(&text).0, events);
    }

    #[test]
    fn any_bytes_are_decoded_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..600), magic in 0_usize..5) {
        let magic = [&b""[..], b"\x1f\x8b\x08\0", b"\x28\xb5\x2f\xfd", b"PAR1", b"event_id,ts,kind,viewer,video\n"][magic];
        let bytes = [magic, &bytes].concat();
        if let Ok(body) = Body::open(&bytes, &Limits::default()) {
            prop_assert!(body.events(&rules()).rows.is_empty());
            prop_assert!(body.catalogue(&rules()).rows.is_empty());
        }
        for name in ["a.ndjson", "a.csv", "a"] {
            prop_assert!(read_bytes(name, &bytes).events.is_empty());
        }
    }

    #[test]
    fn mangled_json_is_decoded_without_a_panic(text in r#"(\{|\}|"|:|,|\[|\]|\\|u0000|1e400|event_id|ts|viewer|null|-| ){0,60}"#) {
        let (events, _) = body(text.as_bytes());
        prop_assert!(events.is_empty());
    }
}

#[test]
fn a_line_of_ten_megabytes_costs_itself_only() {
    let [one, two, three] = [0, 1, 2].map(|n| ndjson(&[numbered(n)]));
    let long = vec![b'x'; 10 << 20];
    for text in [[&one, &long, &b"\n"[..], &two, &three].concat(), [&one, &two, &three, &long[..]].concat()] {
        let line = if text.ends_with(b"x") { 4 } else { 2 };
        let events = [numbered(0), numbered(1), numbered(2)];
        assert_eq!(body(&text), (events.to_vec(), vec![(line, Code::LineTooLong)]));
        let outcome = read_bytes("a.ndjson", &text);
        assert_eq!(outcome.events, events);
        assert_eq!(outcome.errors.iter().map(|error| error.line).collect::<Vec<_>>(), [line]);
    }
}

#[test]
fn a_line_may_be_as_long_as_the_limit_and_no_longer() {
    let line = |bytes: usize| {
        let mut line = ndjson(&[numbered(0)]).trim_ascii().to_vec();
        line.truncate(line.len() - 1);
        line.extend_from_slice(b",\"x\":\"");
        line.resize(bytes - 2, b'x');
        line.extend_from_slice(b"\"}");
        line
    };
    let bytes_max = Limits::default().line_bytes_max;
    for end in ["", "\n", "\r\n"] {
        let fits = [&line(bytes_max), end.as_bytes()].concat();
        assert_eq!((body(&fits).0.len(), read_bytes("a", &fits).events.len()), (1, 1));
        let longer = [&line(bytes_max + 1), end.as_bytes()].concat();
        assert_eq!(body(&longer).1, [(1, Code::LineTooLong)]);
        assert_eq!(read_bytes("a", &longer).errors.len(), 1);
    }
}

#[test]
fn a_stream_without_line_ends_is_read_in_little_memory() {
    let text = io::repeat(b'x').take(256 << 20).chain(Cursor::new(ndjson(&[numbered(0)])));
    let mut reader = LineReader::new(text, 1 << 10);
    let block = reader.next_block(10).expect("block").expect("lines");
    assert_eq!((block.text.as_slice(), block.errors.len()), (&b"\n"[..], 1));
    assert!(block.text.capacity() < 1 << 20, "{} bytes were held", block.text.capacity());

    let open = io::repeat(b'x').take(256 << 20);
    let mut reader = RecordReader::open(Cursor::new(b"creator,video\n\"").chain(open), 1 << 10).expect("header");
    let records = reader.next_records(10).expect("records").expect("records");
    assert_eq!(
        records.errors.iter().map(|error| (error.line, error.code)).collect::<Vec<_>>(),
        [(2, Code::LineTooLong)]
    );
}

#[test]
fn garbage_lines_past_the_limit_are_counted_not_kept() {
    let text = b"x\n".repeat(1_000);
    let limits = Limits { errors_max: 10, ..Limits::default() };
    let decoded = Body::open(&text, &limits).expect("body").events(&limits.rules(Timestamp::MAX)).errors;
    assert_eq!((decoded.listed().len(), decoded.count()), (10, 1_000));
}

#[test]
fn a_bomb_is_refused_and_a_large_body_too() {
    let bomb = vec![b'\n'; 80 << 20];
    for packed in [gzip(&bomb), zstd(&bomb)] {
        assert!(packed.len() < 1 << 20);
        let error = Body::open(&packed, &Limits::default()).expect_err("a bomb");
        assert_eq!(error, BodyTooLarge::Unpacked { bytes_max: 64 << 20 });
    }
    let error = Body::open(&bomb, &Limits::default()).expect_err("a large body");
    assert_eq!(error, BodyTooLarge::Packed { bytes_max: 16 << 20 });
    // A file may unpack to any size: blank lines are passed over batch by batch.
    let outcome = read_bytes("a.ndjson.gz", &gzip(&[&ndjson(&[numbered(0)])[..], &bomb].concat()));
    assert_eq!((outcome.events.len(), outcome.errors.len(), outcome.end.is_none()), (1, 0, true));
}

#[test]
fn a_body_may_not_ask_for_a_huge_window() {
    let mut encoder = ::zstd::stream::write::Encoder::new(Vec::new(), 1).expect("encoder");
    encoder.window_log(27).expect("window");
    // The frame would shrink its window to its content if it knew the size of that.
    for _ in 0..3 {
        encoder.write_all(&vec![b'\n'; 5 << 20]).expect("memory");
    }
    encoder.write_all(&ndjson(&[numbered(0)])).expect("memory");
    let packed = encoder.finish().expect("memory");
    assert_eq!(body(&packed), (vec![], vec![(1, Code::DamagedStream)]));
    assert_eq!(read_bytes("a.ndjson", &packed).events.len(), 1);
}

/// Text that hardly shrinks, so that a cut of the packed stream is a cut of the text.
fn noisy(rows: usize) -> Vec<Event<'static>> {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    (0..rows)
        .map(|number| {
            let mut event = numbered(number);
            let id: String = (0..60).map(|_| char::from(random.random_range(b'!'..=b'~'))).collect();
            event.event_id = throng_model::EventId::parse(id).expect("event id");
            event
        })
        .collect()
}

#[test]
fn a_cut_stream_keeps_the_lines_before_the_cut() {
    let events = noisy(3_000);
    for (name, packed) in
        [("a.ndjson", gzip(&ndjson(&events))), ("a.ndjson", zstd(&ndjson(&events))), ("a.csv", gzip(&csv(&events)))]
    {
        let mut most = 0;
        for part in 1..8 {
            let cut = packed.get(..packed.len() * part / 8).expect("a part");
            let outcome = read_bytes(name, cut);
            let read = outcome.events.len();
            assert!(events.starts_with(&outcome.events) && outcome.errors.is_empty());
            let Some(InputError::DamagedStream { line, .. }) = outcome.end else {
                panic!("no damage: {:?}", outcome.end)
            };
            let header = u64::from(name == "a.csv");
            assert!((read as u64 + header..=read as u64 + header + 1).contains(&line), "{line} after {read}");
            if header == 0 {
                let (sent, errors) = body(cut);
                assert!(events.starts_with(&sent));
                assert_eq!(errors, [(sent.len() as u64 + 1, Code::DamagedStream)]);
            }
            most = most.max(read);
        }
        assert!(most > events.len() / 2, "{name}: only {most} lines survive");
    }
}

#[test]
fn members_and_frames_are_read_one_after_the_other() {
    let events: Vec<_> = (0..2).map(numbered).collect();
    let [one, two] = [0, 1].map(|at| ndjson(&events[at..=at]));
    for packed in [[gzip(&one), gzip(b""), gzip(&two)].concat(), [zstd(&one), zstd(&two)].concat()] {
        assert_eq!(body(&packed), (events.clone(), vec![]));
        assert_eq!(read_bytes("a", &packed).events, events);
    }
}

/// A disk that fails behind some bytes.
struct Failing(Cursor<Vec<u8>>);

impl Read for Failing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.0.read(buffer)? {
            0 => Err(io::Error::other("the disk is gone")),
            read => Ok(read),
        }
    }
}

#[test]
fn a_failing_disk_is_not_taken_for_a_damaged_file() {
    // A decompressor may keep some 32 KB to itself when the disk fails; these are many times that.
    for bytes in [ndjson(&noisy(3_000)), gzip(&ndjson(&noisy(3_000)))] {
        let half = bytes.get(..bytes.len() / 2).expect("half").to_vec();
        let (unpacked, meter) = unpack(Failing(Cursor::new(half))).expect("start");
        let mut reader = LineReader::new(unpacked, 1 << 10);
        let block = reader.next_block(9_000).expect("the lines before").expect("lines");
        assert!(block.text.len() > 1_000);
        reader.next_block(9_000).expect_err("the failure after them");
        assert!(meter.failed());
        assert!(reader.next_block(9_000).expect("the end").is_none());
    }
}

#[test]
fn mutated_files_never_panic() {
    let events: Vec<_> = (0..400).map(numbered).collect();
    let file = parquet(&events, 150, WriterProperties::default());
    let inputs = [
        ("a.ndjson", ndjson(&events)),
        ("a.ndjson.gz", gzip(&ndjson(&events))),
        ("a.csv.zst", zstd(&csv(&events))),
        ("a.csv", csv(&events)),
        ("a.parquet", file),
    ];
    let mut random = ChaCha8Rng::seed_from_u64(11);
    for (name, input) in inputs {
        let mut ended = 0;
        for _ in 0..400 {
            let mut bytes = input.clone();
            for _ in 0..random.random_range(1..6) {
                let at = random.random_range(0..bytes.len());
                match random.random_range(0..4) {
                    0 => bytes.truncate(at.max(1)),
                    1 => bytes[at] = random.random(),
                    2 => bytes[at] ^= 1 << random.random_range(0..8),
                    _ => {
                        let end = (at + random.random_range(0..40)).min(bytes.len());
                        let copy = bytes[at..end].to_vec();
                        bytes.splice(at..at, copy);
                    }
                }
            }
            let outcome = read_bytes(name, &bytes);
            assert!(outcome.events.len() <= 2 * events.len() + 10, "{name}");
            ended += usize::from(outcome.end.is_some());
        }
        assert!(ended > 0 || name == "a.ndjson", "{name}: no damage was ever noticed");
    }
}

/// The public sample, where it is there.
fn shared(name: &str) -> Option<std::path::PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    // Loud on purpose: a run without the data must not look like one with it.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    {
        eprintln!("SKIPPED: {name} is not there");
    }
    None
}

#[test]
fn the_public_sample_decodes_without_an_error() {
    let (Some(events), Some(videos)) = (shared("kuairand.events.ndjson.gz"), shared("kuairand.videos.ndjson.gz"))
    else {
        return;
    };
    let mut outcome = Outcome::default();
    read_on(Reader::open(&events, &Limits::default()).expect("open"), &mut outcome);
    assert_eq!((outcome.events.len(), outcome.errors.len(), outcome.end.is_none()), (79_675, 0, true));
    let text = ndjson(&outcome.events);
    assert_eq!(read_bytes("again", &text).events, outcome.events);

    let mut reader = Reader::open(&videos, &Limits::default()).expect("open");
    let batch = reader.next_batch().expect("batch").expect("rows");
    let mut rows = batch.catalogue(&rules());
    assert_eq!(rows.errors.count(), 0);
    assert_eq!((rows.take_rows().0.len(), reader.next_batch().expect("end").is_none()), (9_359, true));
}

//! A row as a row of the catalogue: with `video` a video, otherwise a creator.
//!
//! What platforms write for "not known" is taken as such: a length of 0, an empty title. In text without lists (CSV, or
//! a string column of Parquet) hashtags, and ids of channels, are separated by `|`.

use std::borrow::Cow;

use throng_model::{
    CreatorId, CreatorRow, Hashtag, IdError, Name, OVERLAPS_MAX, TITLE_BYTES_MAX, VideoId, VideoRow, Zone,
};

use super::field::{Field, Row, Value, id_error, missing, not_text};
use super::limits::Rules;
use super::line::{Decoded, FieldError, LineErrorCode};

/// Hashtags of one video, at most.
const HASHTAGS_MAX: usize = 100;

/// The fields that a row of the catalogue has.
pub(super) const FIELDS: u32 = Field::Video.bit()
    | Field::Creator.bit()
    | Field::PublishedAt.bit()
    | Field::DurationMs.bit()
    | Field::Hashtags.bit()
    | Field::Sound.bit()
    | Field::Title.bit()
    | Field::Language.bit()
    | Field::Handle.bit()
    | Field::TimeZone.bit()
    | Field::OverlapWith.bit();

/// One row of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CatalogueRow {
    /// About a video.
    Video(VideoRow),
    /// About a creator.
    Creator(CreatorRow),
}

impl Decoded<CatalogueRow> {
    /// Takes out the good rows, apart; each list keeps its order, so that later rows still replace earlier ones.
    pub(crate) fn take_rows(&mut self) -> (Vec<VideoRow>, Vec<CreatorRow>) {
        let (mut videos, mut creators) = (Vec::new(), Vec::new());
        for row in self.rows.drain(..) {
            match row {
                CatalogueRow::Video(row) => videos.push(row),
                CatalogueRow::Creator(row) => creators.push(row),
            }
        }
        self.lines.clear();
        (videos, creators)
    }
}

/// Reads the row; the first broken rule is the error.
pub(super) fn decode(row: &mut Row<'_>, _rules: &Rules) -> Result<CatalogueRow, FieldError> {
    // It has a video and a creator too, and taking it for a video's row would wipe what the catalogue knows.
    if row.has(Field::EventId) || row.has(Field::Kind) {
        let message = "this is an event, not a row of the catalogue: send it with the events";
        return Err(FieldError::whole(LineErrorCode::EventInCatalogue, message));
    }
    let video = row.parsed(Field::Video, VideoId::parse)?;
    let creator = row.parsed(Field::Creator, CreatorId::parse)?;
    let creator = creator.ok_or_else(|| missing(Field::Creator, "is required"))?.into_owned();
    Ok(match video {
        Some(video) => CatalogueRow::Video(decode_video(row, video.into_owned(), creator)?),
        None => CatalogueRow::Creator(decode_creator(row, creator)?),
    })
}

fn decode_video(
    row: &mut Row<'_>,
    video: VideoId<'static>,
    creator: CreatorId<'static>,
) -> Result<VideoRow, FieldError> {
    Ok(VideoRow {
        video,
        creator,
        published_at: row.timestamp(Field::PublishedAt)?,
        duration_ms: row.integer(Field::DurationMs, u32::MAX)?.filter(|&length| length > 0),
        hashtags: list(row, Field::Hashtags, HASHTAGS_MAX, |tag| Ok(Hashtag::parse(tag)?.into_owned()))?,
        sound: name(row, Field::Sound)?,
        title: title(row)?,
        language: name(row, Field::Language)?,
    })
}

fn decode_creator(row: &mut Row<'_>, creator: CreatorId<'static>) -> Result<CreatorRow, FieldError> {
    let handle = name(row, Field::Handle)?;
    let time_zone = match row.text(Field::TimeZone)? {
        None => Zone::UTC,
        Some(zone) => Zone::parse(&zone).map_err(|error| {
            let code = if zone.is_empty() { LineErrorCode::Empty } else { LineErrorCode::UnknownValue };
            FieldError::new(Field::TimeZone, code, &error.to_string())
        })?,
    };
    let overlap_with = list(row, Field::OverlapWith, OVERLAPS_MAX, |id| Ok(CreatorId::parse(id)?.into_owned()))?;
    if overlap_with.contains(&creator) {
        let what = "must not name the creator itself";
        return Err(FieldError::new(Field::OverlapWith, LineErrorCode::UnknownValue, what));
    }
    Ok(CreatorRow { creator, handle, time_zone, overlap_with })
}

fn name(row: &mut Row<'_>, field: Field) -> Result<Option<Name<'static>>, FieldError> {
    Ok(row.parsed(field, Name::parse)?.map(Name::into_owned))
}

/// Titles may break lines; other control characters have no place in them.
fn title(row: &mut Row<'_>) -> Result<Option<String>, FieldError> {
    let Some(title) = row.text(Field::Title)?.filter(|title| !title.is_empty()) else { return Ok(None) };
    if title.len() > TITLE_BYTES_MAX {
        let what = format!("must be at most {TITLE_BYTES_MAX} bytes, has {}", title.len());
        return Err(FieldError::new(Field::Title, LineErrorCode::TooLong, &what));
    }
    if title.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        let what = "must not hold control characters";
        return Err(FieldError::new(Field::Title, LineErrorCode::ControlCharacter, what));
    }
    Ok(Some(title.into_owned()))
}

/// A list of texts, each once, in the order given.
fn list<T: PartialEq>(
    row: &mut Row<'_>,
    field: Field,
    most: usize,
    parse: fn(&str) -> Result<T, IdError>,
) -> Result<Vec<T>, FieldError> {
    match row.take(field) {
        Value::Absent => Ok(Vec::new()),
        Value::Texts(texts) => each_once(field, most, texts.iter().map(Cow::as_ref), parse),
        Value::Cell(texts) => each_once(field, most, texts.split('|'), parse),
        other @ (Value::NotText | Value::Oversized) => Err(not_text(field, &other)),
        _ => Err(FieldError::new(field, LineErrorCode::WrongType, "must be a list of strings")),
    }
}

fn each_once<'t, T: PartialEq>(
    field: Field,
    most: usize,
    texts: impl Iterator<Item = &'t str>,
    parse: fn(&str) -> Result<T, IdError>,
) -> Result<Vec<T>, FieldError> {
    let mut kept = Vec::new();
    for text in texts {
        let value = parse(text).map_err(|error| id_error(field, &error))?;
        if kept.contains(&value) {
            continue;
        }
        if kept.len() == most {
            return Err(FieldError::new(field, LineErrorCode::TooMany, &format!("must be at most {most}")));
        }
        kept.push(value);
    }
    Ok(kept)
}

#[cfg(test)]
mod tests {
    use throng_model::Timestamp;

    use super::super::limits::Limits;
    use super::super::line::LineErrorCode as Code;
    use super::super::ndjson;
    use super::*;

    fn read(line: &str) -> Decoded<CatalogueRow> {
        let rules = Limits::default().rules(Timestamp::MAX);
        ndjson::decode(line.as_bytes(), 1, &rules, FIELDS, decode)
    }

    fn video(line: &str) -> VideoRow {
        let mut decoded = read(line);
        assert_eq!(decoded.errors.listed(), [], "{line}");
        let (mut videos, creators) = decoded.take_rows();
        assert!(creators.is_empty());
        videos.pop().expect("a video")
    }

    fn rejected(line: &str) -> (Code, Option<&'static str>) {
        let decoded = read(line);
        let [error] = decoded.errors.listed() else { panic!("one error for {line}") };
        (error.code, error.field)
    }

    #[test]
    fn a_whole_video_is_read() {
        let row = video(
            r##"{"video":"v","creator":"c","published_at":"2026-01-01T00:00:00Z","duration_ms":15000,"hashtags":["#Dance","dance","go"],"sound":"s","title":"Line\nbreak","language":"ne"}"##,
        );
        assert_eq!((row.video.as_str(), row.creator.as_str(), row.duration_ms), ("v", "c", Some(15_000)));
        assert_eq!(row.published_at, Timestamp::parse("2026-01-01T00:00:00Z").ok());
        assert_eq!(row.hashtags.iter().map(Hashtag::as_str).collect::<Vec<_>>(), ["dance", "go"]);
        assert_eq!(row.title.as_deref(), Some("Line\nbreak"));
        assert_eq!(row.sound.as_ref().map(Name::as_str), Some("s"));
        assert_eq!(row.language.as_ref().map(Name::as_str), Some("ne"));
    }

    #[test]
    fn a_length_of_0_and_an_empty_title_are_unknown() {
        for line in [
            r#"{"video":"v","creator":"c","duration_ms":0,"title":""}"#,
            r#"{"video":"v","creator":"c","duration_ms":null,"title":null,"hashtags":null}"#,
            r#"{"video":"v","creator":"c","hashtags":[]}"#,
        ] {
            let row = video(line);
            assert_eq!((row.duration_ms, row.title, row.hashtags.len()), (None, None, 0));
        }
    }

    #[test]
    fn a_row_without_a_video_is_a_creator() {
        let mut decoded = read(r#"{"creator":"c","video":null,"handle":"Asha","time_zone":"Asia/Kathmandu"}"#);
        let (videos, creators) = decoded.take_rows();
        assert!(videos.is_empty());
        let [row] = creators.as_slice() else { panic!("one creator") };
        assert_eq!(row.time_zone.name(), "Asia/Kathmandu");
        assert_eq!(row.handle.as_ref().map(Name::as_str), Some("Asha"));
        assert_eq!(row.overlap_with, []);
        let (_, creators) = read(r#"{"creator":"c"}"#).take_rows();
        assert_eq!(creators.first().map(|row| row.time_zone.name()), Some("UTC"));
        let (_, creators) = read(r#"{"creator":"c","overlap_with":["e","d","e"]}"#).take_rows();
        let with: Vec<&str> = creators.iter().flat_map(|row| &row.overlap_with).map(CreatorId::as_str).collect();
        assert_eq!(with, ["e", "d"]);
    }

    #[test]
    fn broken_rows_name_their_field() {
        let with = |rest: &str| format!(r#"{{"video":"v","creator":"c",{rest}}}"#);
        let long = |bytes: usize| "x".repeat(bytes);
        let tags = |count: usize| (0..count).map(|n| format!("\"t{n}\"")).collect::<Vec<_>>().join(",");
        for (line, code, field) in [
            (r#"{"video":"v"}"#.to_owned(), Code::MissingField, "creator"),
            (with(r#""duration_ms":-1"#), Code::OutOfRange, "duration_ms"),
            (with(r#""duration_ms":4294967296"#), Code::OutOfRange, "duration_ms"),
            (with(r#""published_at":"soon""#), Code::WrongType, "published_at"),
            (with(&format!(r#""title":"{}""#, long(1_001))), Code::TooLong, "title"),
            (with(r#""title":"a\u0007b""#), Code::ControlCharacter, "title"),
            (with(&format!(r#""sound":"{}""#, long(129))), Code::TooLong, "sound"),
            (with(r#""language":"""#), Code::Empty, "language"),
            (with(r#""hashtags":"a|b""#), Code::WrongType, "hashtags"),
            (with(r#""hashtags":["a",1]"#), Code::WrongType, "hashtags"),
            (with(r##""hashtags":["#"]"##), Code::Empty, "hashtags"),
            (with(&format!(r#""hashtags":["{}"]"#, long(101))), Code::TooLong, "hashtags"),
            (with(&format!(r#""hashtags":[{}]"#, tags(101))), Code::TooMany, "hashtags"),
            (r#"{"creator":"c","time_zone":"Mars/Olympus"}"#.to_owned(), Code::UnknownValue, "time_zone"),
            (r#"{"creator":"c","handle":7}"#.to_owned(), Code::WrongType, "handle"),
            (r#"{"creator":"c","overlap_with":"d"}"#.to_owned(), Code::WrongType, "overlap_with"),
            (r#"{"creator":"c","overlap_with":["d",""]}"#.to_owned(), Code::Empty, "overlap_with"),
            (r#"{"creator":"c","overlap_with":["c"]}"#.to_owned(), Code::UnknownValue, "overlap_with"),
            (format!(r#"{{"creator":"c","overlap_with":[{}]}}"#, tags(6)), Code::TooMany, "overlap_with"),
        ] {
            assert_eq!(rejected(&line), (code, Some(field)), "{line}");
        }
        assert_eq!(video(&with(&format!(r#""hashtags":[{}]"#, tags(100)))).hashtags.len(), 100);
        assert_eq!(video(&with(&format!(r#""title":"{}""#, long(1_000)))).title.map(|title| title.len()), Some(1_000));
    }

    #[test]
    fn an_event_does_not_pass_for_a_video() {
        let line = r#"{"event_id":"e","kind":"view","ts":1,"viewer":"u","video":"v","creator":"c"}"#;
        assert_eq!(rejected(line), (Code::EventInCatalogue, None));
    }
}

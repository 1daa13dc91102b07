//! A row as an event, after the rules of the input.

use throng_model::{
    AgeBand, Country, CreatorId, Device, Event, EventId, Follower, Gender, Kind, Region, Source, Timestamp, Traits,
    VideoId, ViewerId,
};

use super::field::{Field, Row, missing};
use super::limits::Rules;
use super::line::{FieldError, LineErrorCode};

/// The fields that an event has.
pub(super) const FIELDS: u32 = Field::EventId.bit()
    | Field::Ts.bit()
    | Field::Kind.bit()
    | Field::Viewer.bit()
    | Field::Creator.bit()
    | Field::Video.bit()
    | Field::WatchMs.bit()
    | Field::Source.bit()
    | Field::Country.bit()
    | Field::Region.bit()
    | Field::Age.bit()
    | Field::Gender.bit()
    | Field::Device.bit()
    | Field::Follower.bit();

/// Fields without which no row of a file can be an event; `creator` or `video` must be there too.
pub(super) const REQUIRED: [Field; 4] = [Field::EventId, Field::Ts, Field::Kind, Field::Viewer];

/// Reads the event out of a row; the first broken rule is the error.
pub(super) fn decode<'a>(row: &mut Row<'a>, rules: &Rules) -> Result<Event<'a>, FieldError> {
    let event_id = required(row.parsed(Field::EventId, EventId::parse)?, Field::EventId)?;
    let ts = required(row.timestamp(Field::Ts)?, Field::Ts)?;
    check_time(ts, rules)?;
    let kind = required(row.choice(Field::Kind, Kind::from_name, || one_of(Kind::ALL, Kind::name))?, Field::Kind)?;
    let viewer = required(row.parsed(Field::Viewer, ViewerId::parse)?, Field::Viewer)?;
    let creator = row.parsed(Field::Creator, CreatorId::parse)?;
    let video = row.parsed(Field::Video, VideoId::parse)?;
    if video.is_none() && kind.needs_video() {
        return Err(missing(Field::Video, "is required for events of this kind"));
    }
    if video.is_none() && creator.is_none() {
        return Err(missing(Field::Creator, "is required where no video is given"));
    }
    // Other kinds have no watch time, and what they say about it is not looked at.
    let watch_ms = if kind == Kind::View { row.integer(Field::WatchMs, u32::MAX)?.unwrap_or(0) } else { 0 };
    let source = row.choice(Field::Source, Source::from_name, || one_of(Source::ALL, Source::name))?;
    let source = source.unwrap_or(Source::Other);
    Ok(Event { event_id, ts, kind, viewer, creator, video, watch_ms, source, traits: traits(row)? })
}

fn traits(row: &mut Row<'_>) -> Result<Traits, FieldError> {
    let country = row.choice(Field::Country, Country::from_code, || {
        "an assigned ISO 3166-1 alpha-2 code in upper case, such as NP".to_owned()
    })?;
    let region =
        row.choice(Field::Region, Region::from_code, || "an ISO 3166-2 code in upper case, such as US-CA".to_owned())?;
    if let (Some(country), Some(region)) = (country, region)
        && region.country() != country
    {
        let what = "lies in another country than the one given";
        return Err(FieldError::new(Field::Region, LineErrorCode::RegionMismatch, what));
    }
    Ok(Traits {
        country: country.or(region.map(Region::country)),
        region,
        age: row.choice(Field::Age, AgeBand::from_name, || one_of(AgeBand::ALL, AgeBand::name))?,
        gender: row.choice(Field::Gender, Gender::from_name, || one_of(Gender::ALL, Gender::name))?,
        device: row.choice(Field::Device, Device::from_name, || one_of(Device::ALL, Device::name))?,
        follower: row.boolean(Field::Follower)?.map(|yes| if yes { Follower::Yes } else { Follower::No }),
    })
}

fn check_time(ts: Timestamp, rules: &Rules) -> Result<(), FieldError> {
    if ts > rules.ts_max {
        let what = "lies in the future: check the sender's clock and that the time is in milliseconds of UTC";
        return Err(FieldError::new(Field::Ts, LineErrorCode::InTheFuture, what));
    }
    if ts < rules.ts_min {
        let what = format!("is older than events may be here, which is {}", rules.ts_min);
        return Err(FieldError::new(Field::Ts, LineErrorCode::TooOld, &what));
    }
    Ok(())
}

fn required<T>(value: Option<T>, field: Field) -> Result<T, FieldError> {
    value.ok_or_else(|| missing(field, "is required"))
}

fn one_of<T: Copy>(all: &[T], name: fn(T) -> &'static str) -> String {
    let names: Vec<&str> = all.iter().map(|&value| name(value)).collect();
    format!("one of {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::super::limits::Limits;
    use super::super::line::{Decoded, LineErrorCode as Code};
    use super::super::ndjson;
    use super::*;

    const NOW: &str = "2026-03-09T12:00:00Z";

    fn read(line: &str) -> Decoded<Event<'_>> {
        let limits = Limits { ts_min: Timestamp::parse("2020-01-01T00:00:00Z").expect("time"), ..Limits::default() };
        let rules = limits.rules(Timestamp::parse(NOW).expect("time"));
        ndjson::decode(line.as_bytes(), 1, &rules, FIELDS, decode)
    }

    /// A good view with one field written otherwise (`""` takes it out), or added.
    fn view_with(field: &str, json: &str) -> String {
        let mut fields = vec![
            ("event_id", "\"e1\""),
            ("ts", "1773057600000"),
            ("kind", "\"view\""),
            ("viewer", "\"secret-viewer\""),
            ("creator", "\"c1\""),
            ("video", "\"v1\""),
        ];
        fields.retain(|(name, _)| *name != field);
        if !json.is_empty() {
            fields.push((field, json));
        }
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        format!("{{{}}}", body.join(","))
    }

    fn accepted(line: &str) -> Event<'_> {
        let decoded = read(line);
        assert_eq!(decoded.errors.listed(), [], "{line}");
        decoded.rows.into_iter().next().expect("one event")
    }

    fn rejected(line: &str) -> (Code, Option<&'static str>) {
        let decoded = read(line);
        assert!(decoded.rows.is_empty(), "{line}");
        let [error] = decoded.errors.listed() else { panic!("one error for {line}") };
        assert_eq!(error.line, 1);
        assert!(!error.message.contains("secret"), "a message quotes its input: {}", error.message);
        assert!(error.field.is_none_or(|field| error.message.starts_with(field)), "{}", error.message);
        (error.code, error.field)
    }

    #[test]
    fn a_whole_event_is_read() {
        let line = r#"{"event_id":"e","ts":"2026-03-09T12:00:00+05:45","kind":"view","viewer":"v\u0061","creator":"c",
            "video":"vid","watch_ms":4200,"source":"for_you","country":"NP","region":"NP-P3","age":"65+",
            "gender":"other","device":"tablet","follower":true}"#
            .replace('\n', "");
        let event = accepted(&line);
        assert_eq!(event.ts.to_string(), "2026-03-09T06:15:00.000Z");
        assert_eq!((event.kind, event.watch_ms, event.source), (Kind::View, 4_200, Source::ForYou));
        assert_eq!(event.viewer.as_str(), "va");
        assert_eq!(event.traits.region.map(Region::code).as_deref(), Some("NP-P3"));
        assert_eq!(event.traits.age, Some(AgeBand::From65));
        assert_eq!((event.traits.gender, event.traits.device), (Some(Gender::Other), Some(Device::Tablet)));
        assert_eq!(event.traits.follower, Some(Follower::Yes));
    }

    #[test]
    fn what_is_not_said_is_unknown_and_null_says_nothing() {
        for line in [view_with("country", ""), view_with("country", "null"), view_with("watch_ms", "null")] {
            let event = accepted(&line);
            assert_eq!((event.traits, event.source, event.watch_ms), (Traits::default(), Source::Other, 0));
        }
    }

    #[test]
    fn required_fields_are_required() {
        for field in ["event_id", "ts", "kind", "viewer", "video"] {
            for json in ["", "null"] {
                assert_eq!(rejected(&view_with(field, json)), (Code::MissingField, Some(field)), "{field}");
            }
        }
        assert!(accepted(&view_with("creator", "")).creator.is_none());
        let follow = view_with("kind", "\"follow\"").replace(r#""video":"v1","#, "");
        assert!(accepted(&follow).video.is_none());
        let nobody = follow.replace(r#""creator":"c1","#, "");
        assert_eq!(rejected(&nobody), (Code::MissingField, Some("creator")));
    }

    #[test]
    fn a_wrong_type_names_its_field() {
        for (field, json) in [
            ("event_id", "7"),
            ("ts", "true"),
            ("ts", "\"yesterday\""),
            ("ts", "\"1773057600000\""),
            ("ts", "1773057600000.5"),
            ("kind", "[]"),
            ("viewer", "123"),
            ("viewer", "{\"secret\":[[[1]]]}"),
            ("watch_ms", "\"5\""),
            ("watch_ms", "1.5"),
            ("follower", "\"true\""),
            ("follower", "1"),
            ("country", "[\"secret\"]"),
        ] {
            assert_eq!(rejected(&view_with(field, json)), (Code::WrongType, Some(field)), "{field} {json}");
        }
    }

    #[test]
    fn numbers_outside_the_range_are_told_apart_from_wrong_types() {
        for (field, json) in [
            ("watch_ms", "-1"),
            ("watch_ms", "4294967296"),
            ("watch_ms", "1e400"),
            ("watch_ms", "-1e400"),
            ("watch_ms", "1e300"),
            ("watch_ms", "170141183460469231731687303715884105728"),
            ("ts", "18446744073709551615"),
            ("ts", "1773057600"),
            ("ts", "1e400"),
            ("ts", "\"1999-12-31T23:59:59Z\""),
        ] {
            assert_eq!(rejected(&view_with(field, json)), (Code::OutOfRange, Some(field)), "{field} {json}");
        }
        for (json, watch_ms) in [("0", 0), ("4294967295", u32::MAX), ("123.0", 123), ("1e3", 1_000)] {
            assert_eq!(accepted(&view_with("watch_ms", json)).watch_ms, watch_ms);
        }
    }

    #[test]
    fn watch_time_belongs_to_views() {
        let like = |json| view_with("watch_ms", json).replace("\"view\"", "\"like\"");
        assert_eq!(accepted(&like("5000")).watch_ms, 0);
        assert_eq!(accepted(&like("\"not looked at\"")).watch_ms, 0);
    }

    #[test]
    fn closed_sets_are_closed() {
        for field in ["kind", "source", "age", "gender", "device", "country", "region"] {
            for json in ["\"secret\"", "\"View\"", "\"xx\""] {
                assert_eq!(rejected(&view_with(field, json)), (Code::UnknownValue, Some(field)), "{field} {json}");
            }
            assert_eq!(rejected(&view_with(field, "\"\"")), (Code::Empty, Some(field)));
        }
    }

    #[test]
    fn a_region_implies_its_country_and_never_contradicts_it() {
        assert_eq!(accepted(&view_with("region", "\"US-CA\"")).traits.country, Country::from_code("US"));
        let both = view_with("region", "\"US-CA\",\"country\":\"US\"");
        assert_eq!(accepted(&both).traits.country, Country::from_code("US"));
        let other = view_with("region", "\"US-CA\",\"country\":\"CA\"");
        assert_eq!(rejected(&other), (Code::RegionMismatch, Some("region")));
    }

    #[test]
    fn identifiers_have_limits() {
        for (field, bytes_max) in [("event_id", 64), ("viewer", 128), ("creator", 64), ("video", 64)] {
            let json = |bytes: usize| format!("\"{}\"", "x".repeat(bytes));
            accepted(&view_with(field, &json(bytes_max)));
            assert_eq!(rejected(&view_with(field, &json(bytes_max + 1))), (Code::TooLong, Some(field)));
            assert_eq!(rejected(&view_with(field, "\"\"")), (Code::Empty, Some(field)));
            assert_eq!(rejected(&view_with(field, "\"a\\u0000b\"")), (Code::ControlCharacter, Some(field)));
        }
    }

    #[test]
    fn time_is_bounded_by_the_clock_and_by_the_operator() {
        assert_eq!(rejected(&view_with("ts", "\"2026-03-09T12:10:00.001Z\"")), (Code::InTheFuture, Some("ts")));
        assert_eq!(rejected(&view_with("ts", "\"2019-12-31T23:59:59.999Z\"")), (Code::TooOld, Some("ts")));
        accepted(&view_with("ts", "\"2026-03-09T12:10:00Z\""));
        accepted(&view_with("ts", "\"2020-01-01T00:00:00Z\""));
    }

    #[test]
    fn a_field_twice_is_an_error_and_unknown_fields_are_counted() {
        let twice = view_with("follower", "true,\"viewer\":\"secret\"");
        assert_eq!(rejected(&twice), (Code::DuplicateField, Some("viewer")));
        let extra = view_with("app", "{\"deep\":[1e999,{}]},\"app\":1,\"title\":\"of a video\"");
        let decoded = read(&extra);
        assert_eq!((decoded.rows.len(), decoded.ignored_fields), (1, 3));
    }

    #[test]
    fn what_is_no_object_is_refused_as_a_whole() {
        for line in ["[]", "[{\"viewer\":\"secret\"}]", "\"secret\"", "1", "-1", "1.5", "true", "null"] {
            assert_eq!(rejected(line), (Code::NotAnObject, None), "{line}");
        }
        let good = view_with("follower", "true");
        let cut = good.get(..good.len() - 3).expect("ascii");
        for line in [cut, "{", "{\"viewer\":\"secret", "secret", "{}{}", "{\"a\":1,}", "{\"viewer\":\"secret\\ud800\"}"]
        {
            assert_eq!(rejected(line), (Code::MalformedJson, None), "{line}");
        }
        assert_eq!(rejected("{}"), (Code::MissingField, Some("event_id")));
        // Nesting costs no stack: it is skipped, or refused by the parser's own limit.
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000));
        assert_eq!(rejected(&deep).1, Some("event_id"));
    }
}

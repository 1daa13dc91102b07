//! Tables of public counters.

use serde_json::{Value, json};

use super::ask::{Ask, EVERYTHING, Subject};
use super::params::{ParamError, Params};
use super::sheet::{Sheet, cell, measure};

/// Counters: the schema's field and the column.
const COUNTERS: [(&str, &str); 15] = [
    ("impressions", "impressions"),
    ("views", "views"),
    ("likes", "likes"),
    ("likesGross", "likes_gross"),
    ("comments", "comments"),
    ("shares", "shares"),
    ("saves", "saves"),
    ("savesGross", "saves_gross"),
    ("followsGained", "follows_gained"),
    ("followsLost", "follows_lost"),
    ("profileViews", "profile_views"),
    ("watchTime", "watch_time"),
    ("averageWatchTime", "average_watch_time"),
    ("completionRate", "completion_rate"),
    ("engagementRate", "engagement_rate"),
];
const COUNTER_WORDS: &str = "impressions, views, likes, likes_gross, comments, shares, saves, saves_gross, follows_gained, \
     follows_lost, profile_views, watch_time, average_watch_time, completion_rate, engagement_rate";
const GRANULARITIES: [&str; 6] = ["hour", "day", "week", "month", "quarter", "year"];
/// Rows of a ranking where nothing else is asked for: as many as there can be.
const FIRST: i32 = 100;

/// `counters.csv`: one row for each step, in order, with each counter beside what it says.
pub(super) fn counters(mut params: Params) -> Result<Ask, ParamError> {
    let (subject, id) = params.subject(&EVERYTHING, "creator, video, hashtag and platform")?;
    let range = params.range()?;
    let granularity = params.word("granularity", "hour, day, week, month, quarter and year", |word| {
        GRANULARITIES.contains(&word).then(|| word.to_ascii_uppercase())
    })?;
    let chosen = params.word("counters", COUNTER_WORDS, chosen)?.unwrap_or_else(|| COUNTERS.to_vec());
    params.finish("creator, video, hashtag or platform; from and to, or last; granularity and counters")?;
    let fields: String = chosen.iter().map(|(field, _)| format!("{field} {{ value disclosure }} ")).collect();
    let selection =
        format!("series(range: $range, granularity: $granularity) {{ date start partial counters {{ {fields} }} }}");
    let rows = move |subject: &Value, sheet: &mut Sheet| -> csv::Result<()> {
        let mut header: Vec<String> = ["date", "start", "partial"].map(str::to_owned).into();
        header.extend(chosen.iter().flat_map(|(_, column)| [(*column).to_owned(), format!("{column}_disclosure")]));
        sheet.row(header)?;
        for step in list(&subject["series"]) {
            let place = ["date", "start", "partial"].map(|name| cell(&step[name]));
            let numbers = chosen.iter().flat_map(|(field, _)| measure(&step["counters"][*field]));
            sheet.row(place.into_iter().chain(numbers))?;
        }
        Ok(())
    };
    Ok(Ask {
        document: subject.document("$range: DateRangeInput!, $granularity: Granularity!", &selection),
        variables: json!({ "id": id, "range": range, "granularity": granularity.as_deref().unwrap_or("DAY") }),
        file: "counters.csv".to_owned(),
        rows: Box::new(rows),
    })
}

/// Those counters that a list names.
fn chosen(words: &str) -> Option<Vec<(&'static str, &'static str)>> {
    words.split(',').map(|word| COUNTERS.into_iter().find(|(_, column)| *column == word.trim())).collect()
}

/// `top-videos.csv`: a channel's videos by one counter, the largest first.
pub(super) fn top_videos(mut params: Params) -> Result<Ask, ParamError> {
    let (subject, id) = params.subject(&[Subject::Creator], "creator")?;
    let range = params.range()?;
    let by = params.word("by", COUNTER_WORDS, |word| {
        COUNTERS.iter().find(|(_, column)| *column == word).map(|(_, column)| *column)
    })?;
    let (by, first) = (by.unwrap_or("views"), params.number("first")?.unwrap_or(FIRST));
    params.finish("creator; from and to, or last; by and first")?;
    let selection = "topVideos(range: $range, by: $by, first: $first) { video { id title publishedAt } \
                     value { value disclosure } }";
    let rows = move |subject: &Value, sheet: &mut Sheet| -> csv::Result<()> {
        sheet.row(["rank", "video", "title", "published_at", by, "disclosure"].map(str::to_owned))?;
        for (index, ranked) in list(&subject["topVideos"]).enumerate() {
            let video = ["id", "title", "publishedAt"].map(|name| cell(&ranked["video"][name]));
            sheet.row([(index + 1).to_string()].into_iter().chain(video).chain(measure(&ranked["value"])))?;
        }
        Ok(())
    };
    Ok(Ask {
        document: subject.document("$range: DateRangeInput!, $by: Counter!, $first: Int!", selection),
        variables: json!({ "id": id, "range": range, "by": by.to_ascii_uppercase(), "first": first }),
        file: "top-videos.csv".to_owned(),
        rows: Box::new(rows),
    })
}

/// `trending.csv`: what trends of a kind, the highest score first.
pub(super) fn trending(mut params: Params) -> Result<Ask, ParamError> {
    const KINDS: [(&str, &str, &str); 3] =
        [("hashtag", "hashtag { name }", "name"), ("sound", "sound", ""), ("video", "video { id }", "id")];
    const WORDS: &str = "hashtag, sound and video";
    let kind = params.word("kind", WORDS, |word| KINDS.into_iter().find(|(kind, ..)| *kind == word))?;
    let (kind, selected, name) = kind.ok_or(ParamError::Word("kind", WORDS))?;
    let (date, first) = (params.take("date"), params.number("first")?.unwrap_or(FIRST));
    params.finish("kind; date and first")?;
    let rows = move |subject: &Value, sheet: &mut Sheet| -> csv::Result<()> {
        let columns = ["rank", kind, "peak", "views", "disclosure", "expected", "score", "creators"];
        sheet.row(columns.map(str::to_owned))?;
        for (index, trend) in list(subject).enumerate() {
            let named = if name.is_empty() { &trend[kind] } else { &trend[kind][name] };
            let place = [(index + 1).to_string(), cell(named), cell(&trend["peak"])];
            let rest = ["expected", "score", "creators"].map(|field| cell(&trend[field]));
            sheet.row(place.into_iter().chain(measure(&trend["views"])).chain(rest))?;
        }
        Ok(())
    };
    Ok(Ask {
        document: format!(
            "query Export($kind: TrendKind!, $date: Date, $first: Int!) {{ subject: trending(kind: $kind, date: $date, \
             first: $first) {{ {selected} peak views {{ value disclosure }} expected score creators }} }}"
        ),
        variables: json!({ "kind": kind.to_ascii_uppercase(), "date": date, "first": first }),
        file: "trending.csv".to_owned(),
        rows: Box::new(rows),
    })
}

pub(super) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

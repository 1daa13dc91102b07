//! Tables of audience insights: one family over one window.

use serde_json::{Value, json};

use super::ask::{Ask, EVERYTHING};
use super::params::{ParamError, Params};
use super::public::list;
use super::sheet::{Sheet, cell, measure};

/// How the schema hands a family out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One number.
    Total,
    /// Fields that are a number each, with their rows' keys.
    Fields(&'static [(&'static str, &'static str)]),
    /// A breakdown by this trait.
    Breakdown(&'static str),
    /// A list under this field, whose rows have these keys.
    List(&'static str, &'static [&'static str]),
}

/// Families, as the schema's `InsightFamily` has them in lower case.
const FAMILIES: [(&str, Shape); 13] = [
    ("reach", Shape::Total),
    ("novelty", Shape::Fields(&[("newViewers", "new"), ("returningViewers", "returning")])),
    ("follower_status", Shape::Breakdown("FOLLOWER_STATUS")),
    ("country", Shape::Breakdown("COUNTRY")),
    ("region", Shape::Breakdown("REGION")),
    ("age", Shape::Breakdown("AGE")),
    ("gender", Shape::Breakdown("GENDER")),
    ("age_gender", Shape::List("ageGender", &["age", "gender"])),
    ("device", Shape::Breakdown("DEVICE")),
    ("traffic_source", Shape::Breakdown("TRAFFIC_SOURCE")),
    ("active_hours", Shape::List("activeHours", &["weekday", "hour"])),
    ("retention", Shape::List("retention", &["position"])),
    ("funnel", Shape::List("funnel", &["stage"])),
];
const FAMILY_WORDS: &str = "reach, novelty, follower_status, country, region, age, gender, age_gender, device, \
     traffic_source, active_hours, retention and funnel";

const WINDOWS: [&str; 11] = [
    "day",
    "last_7_days",
    "last_28_days",
    "month",
    "quarter",
    "year",
    "first_1_day",
    "first_7_days",
    "first_28_days",
    "first_90_days",
    "first_365_days",
];
const WINDOW_WORDS: &str = "day, last_7_days, last_28_days, month, quarter, year, first_1_day, first_7_days, \
     first_28_days, first_90_days and first_365_days";
const NUMBER: &str = "{ value disclosure marginOfError }";

impl Shape {
    fn selection(self) -> String {
        match self {
            Self::Total => format!("reach {NUMBER}"),
            Self::Fields(fields) => fields.iter().map(|(field, _)| format!("{field} {NUMBER} ")).collect(),
            Self::Breakdown(by) => {
                format!("breakdown(by: {by}) {{ total {NUMBER} rows {{ key share measure {NUMBER} }} other {NUMBER} }}")
            }
            Self::List(field, keys) => format!("{field} {{ {} share measure {NUMBER} }}", keys.join(" ")),
        }
    }

    /// What tells its rows apart.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Total => &[],
            Self::Fields(_) => &["key"],
            Self::Breakdown(_) => &["part", "key"],
            Self::List(_, keys) => keys,
        }
    }

    /// Keys, share and measure of each row.
    fn rows(self, audience: &Value) -> Vec<(Vec<String>, &Value, &Value)> {
        let word = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        match self {
            Self::Total => vec![(vec![], &Value::Null, &audience["reach"])],
            Self::Fields(fields) => {
                fields.iter().map(|(field, key)| (word(&[key]), &Value::Null, &audience[*field])).collect()
            }
            Self::Breakdown(_) => {
                // `other` is the key of some rows too, so the parts have a column of their own.
                let table = &audience["breakdown"];
                let row = |row| {
                    let row: &Value = row;
                    (vec!["row".to_owned(), cell(&row["key"])], &row["share"], &row["measure"])
                };
                let total = (word(&["total", ""]), &Value::Null, &table["total"]);
                let other = (word(&["other", ""]), &Value::Null, &table["other"]);
                std::iter::once(total).chain(list(&table["rows"]).map(row)).chain([other]).collect()
            }
            Self::List(field, keys) => list(&audience[field])
                .map(|row| (keys.iter().map(|key| cell(&row[*key])).collect(), &row["share"], &row["measure"]))
                .collect(),
        }
    }
}

/// `audience.csv`: the cells of a family, each with the window, its key, its share and what it says.
pub(super) fn audience(mut params: Params) -> Result<Ask, ParamError> {
    let (subject, id) = params.subject(&EVERYTHING, "creator, video, hashtag and platform")?;
    let kind =
        params.word("window", WINDOW_WORDS, |word| WINDOWS.contains(&word).then(|| word.to_ascii_uppercase()))?;
    let kind = kind.ok_or(ParamError::Word("window", WINDOW_WORDS))?;
    let date = params.take("date");
    let family = params.word("family", FAMILY_WORDS, |word| FAMILIES.into_iter().find(|(name, _)| *name == word))?;
    let (name, shape) = family.ok_or(ParamError::Word("family", FAMILY_WORDS))?;
    params.finish("creator, video, hashtag or platform; window, date and family")?;
    let rows = move |subject: &Value, sheet: &mut Sheet| -> csv::Result<()> {
        let audience = &subject["audience"];
        let header = ["window", "from", "to"].into_iter().chain(shape.keys().iter().copied());
        sheet.row(header.chain(["share", "viewers", "disclosure", "margin_of_error"]).map(str::to_owned))?;
        for (keys, share, number) in shape.rows(audience) {
            let window = ["kind", "from", "to"].map(|name| cell(&audience["window"][name]));
            let numbers = [cell(share)].into_iter().chain(measure(number)).chain([cell(&number["marginOfError"])]);
            sheet.row(window.into_iter().chain(keys).chain(numbers))?;
        }
        Ok(())
    };
    let selection = format!("audience(window: $window) {{ window {{ kind from to }} {} }}", shape.selection());
    Ok(Ask {
        document: subject.document("$window: WindowInput!", &selection),
        variables: json!({ "id": id, "window": { "kind": kind, "date": date } }),
        file: format!("audience-{}.csv", name.replace('_', "-")),
        rows: Box::new(rows),
    })
}

//! Parameters and cells; `tests/integration/export.rs` asks a server.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::json;

use super::sheet::{Sheet, cell};
use super::{ParamError, Params, Table};

fn params(text: &str) -> Params {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    Params::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned()))).unwrap()
}

#[test]
fn texts_are_guarded_and_quoted_and_numbers_are_not() {
    let mut sheet = Sheet::new();
    let texts = ["=1+1", "+1", "-x", "@x", "\tx", "a,b", "a \"b\"\nc", "é", "a=b"];
    sheet.row(texts.map(|text| cell(&json!(text)))).unwrap();
    let written = String::from_utf8(sheet.finish().unwrap()).unwrap();
    assert_eq!(written, "'=1+1,'+1,'-x,'@x,'\tx,\"a,b\",\"a \"\"b\"\"\nc\",é,a=b\r\n");
    let numbers = [json!(-3.0), json!(1e15), json!(0.25), json!(0.0), json!(null), json!(true)];
    assert_eq!(numbers.map(|value| cell(&value)), ["-3", "1000000000000000", "0.25", "0", "", "true"]);
}

#[test]
fn wrong_parameters_are_told_apart() {
    let error = |table: Table, text: &str| table.ask(params(text)).err().unwrap();
    for text in ["last=7", "creator=a&video=b", "creator="] {
        assert!(matches!(error(Table::Counters, text), ParamError::Subject(_)), "{text}");
    }
    assert!(matches!(error(Table::TopVideos, "video=a"), ParamError::Subject("creator")));
    assert!(matches!(error(Table::Counters, "platform=mine&last=7"), ParamError::Word("platform", "all")));
    assert!(matches!(error(Table::Counters, "creator=a&granularty=day"), ParamError::Unknown(_)));
    assert!(matches!(error(Table::Counters, "creator=a&granularity=decade"), ParamError::Word("granularity", _)));
    assert!(matches!(error(Table::Counters, "creator=a&counters=views,people"), ParamError::Word("counters", _)));
    assert!(matches!(error(Table::Counters, "creator=a&last=many"), ParamError::Number("last")));
    assert!(matches!(error(Table::Audience, "creator=a&window=day"), ParamError::Word("family", _)));
    assert!(matches!(error(Table::Audience, "creator=a&family=reach"), ParamError::Word("window", _)));
    let twice = [("creator", "a"), ("creator", "b")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(Params::new(twice).unwrap_err(), ParamError::Twice);
}

#[test]
fn what_is_asked_is_in_variables_alone() {
    let ask = Table::Counters.ask(params("hashtag=\"){x&last=7&granularity=WEEK&counters=views,likes_gross")).unwrap();
    assert!(
        !ask.document.contains("{x") && ask.document.contains("likesGross { value disclosure }"),
        "{}",
        ask.document
    );
    assert_eq!(ask.variables, json!({"id": "\"){x", "range": {"last": 7}, "granularity": "WEEK"}));
    assert_eq!(ask.write(&json!({"subject": null})).unwrap(), None);
}

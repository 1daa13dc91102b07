//! `throng verify`: reads the whole store and holds it against itself.

use std::process::ExitCode;

use serde_json::json;

use crate::config::Config;
use crate::failure::Failure;
use crate::output::Output;
use crate::platform;

/// Prints what the store holds. Damage is a failure.
pub(crate) fn verify(config: &Config, output: Output) -> Result<ExitCode, Failure> {
    let report = platform::open_existing(config)?.verify()?;
    let numbers = [
        ("generation", report.generation),
        ("events", report.events),
        ("viewers", report.viewers),
        ("creators", report.creators),
        ("videos", report.videos),
        ("segments", report.segments),
        ("tail_events", report.tail_events),
        ("bytes", report.bytes),
    ];
    let lines = numbers.iter().map(|(name, number)| format!("{name:<12} {number:>15}\n"));
    let text: String = lines.chain(["the store is whole\n".to_owned()]).collect();
    let mut json = json!({ "whole": true });
    for (name, number) in numbers {
        json[name] = number.into();
    }
    json["parts"] = json!(report.parts);
    output.result(&text, &json)?;
    Ok(ExitCode::SUCCESS)
}

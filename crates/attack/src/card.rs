//! The scorecard: what each attack asked, how far it came, and how far it may come.

use std::fmt;

use serde::Serialize;

/// What an attack's result means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Within the bound.
    Pass,
    /// Beyond the bound: a promise is broken.
    Fail,
    /// The documentation says that this protection does not withstand the attack, and it did not.
    BrokenAsStated,
    /// There is nothing to attack in this version.
    NotPresent,
    /// A control: the same attack breaks what is known to be weak, so it can be relied on.
    ControlBites,
    /// A control that finds nothing wrong with what is known to be weak: the attack itself is worthless.
    ControlFails,
    /// A measurement without a promise.
    Information,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Pass => "PASS",
            Self::Fail => "FAIL",
            Self::BrokenAsStated => "BROKEN AS STATED",
            Self::NotPresent => "NOT PRESENT",
            Self::ControlBites => "control bites",
            Self::ControlFails => "CONTROL DOES NOT BITE",
            Self::Information => "information",
        })
    }
}

/// One attack on one scene.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The attack's name.
    pub attack: &'static str,
    /// What was attacked, and how.
    pub scene: String,
    /// Questions asked of gates.
    pub questions: u64,
    /// What `success`, `blind` and `bound` count.
    pub measure: &'static str,
    /// How far the attack came.
    pub success: f64,
    /// How far a blind guesser comes.
    pub blind: f64,
    /// How far it may come; confidence not added.
    pub bound: f64,
    /// What is added to the bound for chance: a sound system is beyond both once in ten thousand times at most.
    pub margin: f64,
    /// What it means.
    pub verdict: Verdict,
}

impl Line {
    /// An attack that is held to a bound.
    pub(crate) fn held(attack: &'static str, scene: impl Into<String>, result: Result) -> Self {
        let verdict = if result.within() { Verdict::Pass } else { Verdict::Fail };
        Self::new(attack, scene.into(), result, verdict)
    }

    /// The same attack on something known to be weak, which must break it. `bound` is that of a sound system.
    pub(crate) fn control(attack: &'static str, scene: impl Into<String>, result: Result) -> Self {
        let verdict = if result.within() { Verdict::ControlFails } else { Verdict::ControlBites };
        Self::new(attack, format!("control: {}", scene.into()), result, verdict)
    }

    /// An attack on a protection of which the documentation says that it breaks.
    pub(crate) fn stated(attack: &'static str, scene: impl Into<String>, result: Result) -> Self {
        let verdict = if result.within() { Verdict::ControlFails } else { Verdict::BrokenAsStated };
        Self::new(attack, scene.into(), result, verdict)
    }

    /// A line without a bound.
    pub(crate) fn remark(attack: &'static str, scene: impl Into<String>, verdict: Verdict) -> Self {
        Self::new(attack, scene.into(), Result::default(), verdict)
    }

    fn new(attack: &'static str, scene: String, result: Result, verdict: Verdict) -> Self {
        let Result { questions, measure, success, blind, bound, margin } = result;
        Self { attack, scene, questions, measure, success, blind, bound, margin, verdict }
    }
}

/// What an attack measured.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Result {
    pub(crate) questions: u64,
    pub(crate) measure: &'static str,
    pub(crate) success: f64,
    pub(crate) blind: f64,
    pub(crate) bound: f64,
    pub(crate) margin: f64,
}

impl Result {
    /// A count of things that must not be.
    pub(crate) fn count(measure: &'static str, questions: u64, found: u64) -> Self {
        Self { questions, measure, success: found as f64, ..Self::default() }
    }

    pub(crate) fn within(&self) -> bool {
        self.success <= self.bound + self.margin
    }
}

/// Every line of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scorecard {
    /// The seed that makes the same run again.
    pub seed: u64,
    /// Whether fewer worlds were made.
    pub quick: bool,
    /// Whether no attack came past its bound and every control bit.
    pub passed: bool,
    /// In the order of [`crate::Attack::ALL`].
    pub lines: Vec<Line>,
}

impl Scorecard {
    pub(crate) fn new(seed: u64, quick: bool, lines: Vec<Line>) -> Self {
        let broken = |line: &Line| matches!(line.verdict, Verdict::Fail | Verdict::ControlFails);
        Self { seed, quick, passed: !lines.iter().any(broken), lines }
    }
}

impl fmt::Display for Scorecard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scene = self.lines.iter().map(|line| line.scene.chars().count()).max().unwrap_or(0);
        writeln!(
            f,
            "{:<20} {:<scene$} {:>9} {:>8} {:>6} {:>6} {:>7}  {:<10} verdict",
            "attack", "scene", "questions", "success", "blind", "bound", "±", "of"
        )?;
        for line in &self.lines {
            if matches!(line.verdict, Verdict::NotPresent | Verdict::Information) {
                writeln!(f, "{:<20} {:<scene$} {:>53}  {}", line.attack, line.scene, "", line.verdict)?;
                continue;
            }
            writeln!(
                f,
                "{:<20} {:<scene$} {:>9} {:>8.3} {:>6.3} {:>6.3} {:>7.3}  {:<10} {}",
                line.attack,
                line.scene,
                line.questions,
                line.success,
                line.blind,
                line.bound,
                line.margin,
                line.measure,
                line.verdict
            )?;
        }
        write!(
            f,
            "{}",
            if self.passed { "No attack came past its bound." } else { "A promise or a control is broken." }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(found: u64) -> Result {
        Result { bound: 1.0, margin: 0.5, ..Result::count("things", 10, found) }
    }

    #[test]
    fn one_attack_past_its_bound_or_one_blunt_control_fails_the_run() {
        let passed = |lines| Scorecard::new(1, true, lines).passed;
        let (held, bitten) = (Line::held("a", "b", found(1)), Line::control("a", "b", found(2)));
        let (not_there, stated) = (Line::remark("a", "b", Verdict::NotPresent), Line::stated("a", "b", found(2)));
        assert!(passed(vec![held.clone(), bitten, not_there, stated]));
        assert!(!passed(vec![held.clone(), Line::held("a", "b", found(2))]));
        assert!(!passed(vec![held.clone(), Line::control("a", "b", found(1))]));
        assert!(!passed(vec![held, Line::stated("a", "b", found(1))]));
    }

    #[test]
    fn every_line_is_printed_with_its_verdict() {
        let lines = vec![Line::held("one", "here", found(2)), Line::remark("two", "there", Verdict::NotPresent)];
        let text = Scorecard::new(1, false, lines).to_string();
        assert!(text.contains("FAIL") && text.contains("NOT PRESENT") && text.ends_with("is broken."), "{text}");
    }
}

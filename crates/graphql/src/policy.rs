//! The policy in force and the state of the server, for everyone to see.

use async_graphql::SimpleObject;
use throng_privacy::{self as privacy, AUDIENCE_MIN_FLOOR, Allocation, CatalogueEntry, DELTA, Epoch, Gate, catalogue};

use crate::scalar::Date;
use crate::words::{EntityKind, InsightFamily, Protection, WindowKind};

/// What is exact for everyone, whatever the policy.
const INVARIANTS: [&str; 2] = [
    "Public counters (impressions, views, likes, comments, shares, saves, follows, profile views, watch time and their ratios) are exact wherever a cell's audience reaches audienceMin, over any range of days, open days included: they are public where the video is. What they reveal is not protected, nor are differences between them.",
    "Catalogue facts (ids, names, titles, hashtags, lengths, days of publication, sealed days) are public, and so are the dates of erasures and reopened days.",
];

/// What no policy protects against.
const NOT_PROTECTED: [&str; 4] = [
    "What the public counters reveal.",
    "Facts about groups, such as: this audience is mostly 18 to 24.",
    "The fact that a number is withheld, which says that some cell is small.",
    "Timing of the process, and an operator who holds the disk.",
];

/// What noise leaves.
const NOT_PROTECTED_BY_NOISE: [&str; 1] = [
    "Many days and many entities of one viewer together: costs add up by rho, so who follows a channel daily for a year is protected as a day is, not as a person.",
];

/// What a threshold leaves.
const NOT_PROTECTED_BY_THRESHOLD: [&str; 3] = [
    "Differences between answers: windows that overlap, a channel minus its videos, a hashtag minus a video. Each answer keeps the floor; the difference of two answers need not, and can isolate one person.",
    "Fake viewers: who adds audienceMin - 1 viewers of their own to a cell sees whether one more stands in it.",
    "Background knowledge: who knows nearly everyone in a cell learns about the rest.",
];

const NOISE: &str = "Noise: each insight is the true number plus discrete Gaussian noise that is drawn once for ever, so asking again, elsewhere or together learns nothing more. Taking away everything that one viewer did with one entity (a channel, a video, a hashtag) on one day changes the law of all answers about that entity by at most rho in zero-concentrated differential privacy, which is (epsilon, delta) differential privacy. Entities and days add up by rho. A number is shown only where the true audience reaches audienceMin and the noisy one lies far enough above it.";

const THRESHOLD: &str = "Threshold: insights are exact numbers about at least audienceMin viewers, and the rest of each table is at least as large. This is as strong as the thresholds of the big platforms and no stronger: it does not stop differencing between answers, which can isolate people. The protection NOISE does.";

/// Erasures listed, the newest.
const GENERATIONS_MAX: usize = 100;

/// The privacy policy in force. Every answer carries its version in `extensions.policyVersion`.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct PrivacyPolicy {
    /// A short hash of the policy: two answers with the same version were judged alike.
    version: String,
    /// How insights are protected beyond the floor.
    protection: Protection,
    /// Distinct viewers that stand behind each disclosed number.
    audience_min: u32,
    /// The least `audienceMin` that this server can be configured with: compiled in.
    audience_min_floor: u32,
    /// Days between the permitted ends of LAST_7_DAYS and LAST_28_DAYS windows.
    rolling_step_days: u16,
    /// What one viewer's day with one entity costs at most, in zero-concentrated differential privacy, over all answers
    /// about that entity. Null without noise.
    rho: Option<f64>,
    /// The same as ε of (ε, δ) differential privacy. Null without noise.
    epsilon: Option<f64>,
    /// The δ that belongs to `epsilon`. Null without noise.
    delta: Option<f64>,
    /// What this policy promises, and how far.
    statement: String,
    /// What is exact for everyone and so outside the protection.
    invariants: Vec<String>,
    /// What this policy does not protect against.
    not_protected: Vec<String>,
    /// Every question about people that can be asked: families of insights by kind of entity and window.
    catalogue: Vec<CatalogueFamily>,
    /// Erasures of viewers so far: what was published before each has one more draw of noise since. Grows by one with each.
    generation: u32,
    /// The newest 100 of them, oldest first.
    generations: Vec<Generation>,
    /// The first day whose events are kept; insights over earlier days are NOT_APPLICABLE, public counters stay. Null where
    /// none have been dropped for their age.
    events_kept_from: Option<Date>,
}

/// A rewriting of the store that took erased viewers' events away.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Generation {
    /// 1, 2, 3 …
    number: u32,
    /// Windows that end on or before this day have one more draw of noise since.
    date: Date,
}

impl From<Epoch> for Generation {
    fn from(epoch: Epoch) -> Self {
        Self { number: epoch.number, date: Date(epoch.day) }
    }
}

/// A family of audience insights for one kind of entity.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct CatalogueFamily {
    /// The family.
    family: InsightFamily,
    /// The kind of entity.
    entity: EntityKind,
    /// The kinds of window that it exists for.
    windows: Vec<WindowKind>,
    /// Whether a viewer can stand in several cells of one table.
    overlapping: bool,
    /// The noise by kind of window; empty without noise.
    noise: Vec<NoiseLevel>,
}

/// The noise of one family over one kind of window.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct NoiseLevel {
    /// The kind of window.
    window: WindowKind,
    /// Windows of this kind that one day lies in.
    windows_per_day: u32,
    /// Δ₂²: the largest squared change of one such table when one viewer's day is taken away. 0 where the family is
    /// computed from another one's cells.
    sensitivity_squared: f64,
    /// What these windows together cost of rho.
    rho: f64,
    /// Standard deviation of a number, in viewers, before any erasure; of a curve's least precise point.
    sigma: f64,
    /// The least number shown, in viewers; of a curve's least precise point.
    shown_from: f64,
}

impl From<Allocation> for NoiseLevel {
    fn from(line: Allocation) -> Self {
        Self {
            window: line.window.into(),
            windows_per_day: line.windows_per_day,
            sensitivity_squared: line.sensitivity_squared,
            rho: line.rho,
            sigma: line.sigma,
            shown_from: line.shown_from,
        }
    }
}

impl CatalogueFamily {
    fn of(entry: CatalogueEntry, budget: &[Allocation]) -> Self {
        let own = budget.iter().filter(|line| (line.family, line.entity) == (entry.family, entry.entity));
        Self {
            family: entry.family.into(),
            entity: entry.entity.into(),
            windows: entry.windows.into_iter().map(WindowKind::from).collect(),
            overlapping: entry.family.overlaps(),
            noise: own.copied().map(NoiseLevel::from).collect(),
        }
    }
}

impl PrivacyPolicy {
    pub(crate) fn of(gate: &Gate) -> Self {
        let policy = gate.policy();
        let noise = policy.protection() == privacy::Protection::Noise;
        let (statement, left): (_, &[&str]) =
            if noise { (NOISE, &NOT_PROTECTED_BY_NOISE) } else { (THRESHOLD, &NOT_PROTECTED_BY_THRESHOLD) };
        let budget = if noise { gate.budget().allocations() } else { Vec::new() };
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let epochs = gate.epochs();
        Self {
            version: gate.policy_version().to_owned(),
            protection: policy.protection().into(),
            audience_min: policy.audience_min(),
            audience_min_floor: AUDIENCE_MIN_FLOOR,
            rolling_step_days: policy.rolling_step_days(),
            rho: noise.then(|| policy.rho()),
            epsilon: noise.then(|| policy.epsilon()),
            delta: noise.then_some(DELTA),
            statement: statement.to_owned(),
            invariants: texts(&INVARIANTS),
            not_protected: texts(&[left, &NOT_PROTECTED].concat()),
            catalogue: catalogue().into_iter().map(|entry| CatalogueFamily::of(entry, &budget)).collect(),
            generation: epochs.last().map_or(0, |epoch| epoch.number),
            generations: epochs
                .iter()
                .skip(epochs.len().saturating_sub(GENERATIONS_MAX))
                .map(|&epoch| epoch.into())
                .collect(),
            events_kept_from: gate.rows_from().map(Date),
        }
    }
}

/// What is publicly known of this server.
#[derive(Debug, Clone, SimpleObject)]
pub(crate) struct Status {
    /// The server's version.
    version: String,
    /// The version of the privacy policy in force, as in `privacy.version`.
    policy_version: String,
}

impl Status {
    pub(crate) fn of(gate: &Gate) -> Self {
        Self { version: env!("CARGO_PKG_VERSION").to_owned(), policy_version: gate.policy_version().to_owned() }
    }
}

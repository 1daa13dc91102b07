//! The policy in force and the state of the server, for everyone to see.

use async_graphql::SimpleObject;
use throng_privacy::{AUDIENCE_MIN_FLOOR, CatalogueEntry, Gate, catalogue};

use crate::words::{EntityKind, InsightFamily, Protection, WindowKind};

/// What is exact for everyone, whatever the policy.
const INVARIANTS: [&str; 2] = [
    "Public counters (impressions, views, likes, comments, shares, saves, follows, profile views, watch time and their ratios) are exact wherever a cell's audience reaches audienceMin, over any range of days, open days included: they are public where the video is. What they reveal is not protected, nor are differences between them.",
    "Catalogue facts (ids, names, titles, hashtags, lengths, days of publication, sealed days) are public.",
];

/// What no policy of this version protects against.
const NOT_PROTECTED: [&str; 6] = [
    "Differences between answers: windows that overlap, a channel minus its videos, a hashtag minus a video. Each answer keeps the floor; the difference of two answers need not, and can isolate one person.",
    "Fake viewers: who adds audienceMin - 1 viewers of their own to a cell sees whether one more stands in it.",
    "Background knowledge: who knows nearly everyone in a cell learns about the rest.",
    "Facts about groups, such as: this audience is mostly 18 to 24.",
    "The fact that a number is withheld, which says that some cell is small.",
    "Timing of the process, and an operator who holds the disk.",
];

const STATEMENT: &str = "Threshold mode: insights are exact numbers about at least audienceMin viewers, and the rest of each table is at least as large. This is as strong as the thresholds of the big platforms and no stronger: it does not stop differencing between answers. Noise, which would, is not available in this version.";

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
    /// What this policy promises, and how far.
    statement: String,
    /// What is exact for everyone and so outside the protection.
    invariants: Vec<String>,
    /// What this policy does not protect against.
    not_protected: Vec<String>,
    /// Every question about people that can be asked: families of insights by kind of entity and window.
    catalogue: Vec<CatalogueFamily>,
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
}

impl From<CatalogueEntry> for CatalogueFamily {
    fn from(entry: CatalogueEntry) -> Self {
        Self {
            family: entry.family.into(),
            entity: entry.entity.into(),
            windows: entry.windows.into_iter().map(WindowKind::from).collect(),
            overlapping: entry.family.overlaps(),
        }
    }
}

impl PrivacyPolicy {
    pub(crate) fn of(gate: &Gate) -> Self {
        let policy = gate.policy();
        let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        Self {
            version: gate.policy_version().to_owned(),
            protection: policy.protection().into(),
            audience_min: policy.audience_min(),
            audience_min_floor: AUDIENCE_MIN_FLOOR,
            rolling_step_days: policy.rolling_step_days(),
            statement: STATEMENT.to_owned(),
            invariants: texts(&INVARIANTS),
            not_protected: texts(&NOT_PROTECTED),
            catalogue: catalogue().into_iter().map(CatalogueFamily::from).collect(),
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

//! The suite: which attacks there are, and how a run plays them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use throng_model::{IdError, PeriodError};
use throng_privacy::{AUDIENCE_MIN_DEFAULT, GateError, Policy, PolicyError, Protection, ROLLING_STEP_DAYS_DEFAULT};
use throng_store::{OpenError, ReadError, Store, WriteError};

use crate::card::{Line, Scorecard, Verdict};
use crate::{
    averaging, differencing, distinguisher, equivalent, erasure, fakes, polling, reconstruction, side_channels,
    small_cells, totals, tracker, trends,
};

/// One attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Attack {
    /// Every number disclosed, against the viewers who truly stand behind it.
    SmallCells,
    /// Totals minus shown rows, in exact tables.
    Totals,
    /// Differences of windows, of entities, and of answers before and after the catalogue changed.
    Differencing,
    /// The same question again and again.
    Averaging,
    /// Several ways to the same number.
    EquivalentQuestions,
    /// Random questions and a linear solver.
    Tracker,
    /// Many secrets at once, by least squares over everything released.
    Reconstruction,
    /// Viewers of the attacker's own, and one target.
    FakeViewers,
    /// Answers around one event.
    Polling,
    /// The noise alone, over very many keys.
    Distinguisher,
    /// Answers before and after an erasure.
    Erasure,
    /// What trends.
    Trends,
    /// Recommendations.
    Feed,
    /// Errors, shapes, sizes.
    SideChannels,
}

impl Attack {
    /// Every attack.
    pub const ALL: [Self; 14] = [
        Self::SmallCells,
        Self::Totals,
        Self::Differencing,
        Self::Averaging,
        Self::EquivalentQuestions,
        Self::Tracker,
        Self::Reconstruction,
        Self::FakeViewers,
        Self::Polling,
        Self::Distinguisher,
        Self::Erasure,
        Self::Trends,
        Self::Feed,
        Self::SideChannels,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::SmallCells => small_cells::NAME,
            Self::Totals => totals::NAME,
            Self::Differencing => differencing::NAME,
            Self::Averaging => averaging::NAME,
            Self::EquivalentQuestions => equivalent::NAME,
            Self::Tracker => tracker::NAME,
            Self::Reconstruction => reconstruction::NAME,
            Self::FakeViewers => fakes::NAME,
            Self::Polling => polling::NAME,
            Self::Distinguisher => distinguisher::NAME,
            Self::Erasure => erasure::NAME,
            Self::Trends => trends::NAME,
            Self::Feed => "feed",
            Self::SideChannels => side_channels::NAME,
        }
    }

    /// The attack of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|attack| attack.name() == name)
    }

    /// What it tries, in one line.
    pub fn about(self) -> &'static str {
        match self {
            Self::SmallCells => "every number shown has the floor of viewers behind it",
            Self::Totals => "no total minus shown rows isolates anyone in exact tables",
            Self::Differencing => "differences of windows and entities stay within the bound",
            Self::Averaging => "repeats, restarts and copies give identical bytes",
            Self::EquivalentQuestions => "other ways to the same number are no more exact than stated",
            Self::Tracker => "random questions and a linear solver stay within the bound",
            Self::Reconstruction => "least squares over everything recovers no one beyond the bound",
            Self::FakeViewers => "fakes around one target stay within the bound",
            Self::Polling => "one event changes no insight before its day seals",
            Self::Distinguisher => "the noise itself keeps epsilon and delta over very many keys",
            Self::Erasure => "answers before and after an erasure do not say who went",
            Self::Trends => "withheld viewers move nothing that trends",
            Self::Feed => "recommendations (none in this version)",
            Self::SideChannels => "errors, shapes and sizes do not depend on hidden values",
        }
    }

    fn play(self, run: &Run<'_>) -> Result<Vec<Line>, AttackError> {
        match self {
            Self::SmallCells => small_cells::run(run),
            Self::Totals => totals::run(run),
            Self::Differencing => differencing::run(run),
            Self::Averaging => averaging::run(run),
            Self::EquivalentQuestions => equivalent::run(run),
            Self::Tracker => tracker::run(run),
            Self::Reconstruction => reconstruction::run(run),
            Self::FakeViewers => fakes::run(run),
            Self::Polling => polling::run(run),
            Self::Distinguisher => distinguisher::run(run),
            Self::Erasure => erasure::run(run),
            Self::Trends => trends::run(run),
            Self::Feed => {
                Ok(vec![Line::remark(self.name(), "no recommendations in this version", Verdict::NotPresent)])
            }
            Self::SideChannels => side_channels::run(run),
        }
    }
}

/// Why a suite could not be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttackError {
    /// A store could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A store took nothing.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A store could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The gate gave no answer.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A policy that is none.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// An id of a made world.
    #[error(transparent)]
    Id(#[from] IdError),
    /// A day of a made world.
    #[error(transparent)]
    Period(#[from] PeriodError),
    /// The platform could not be copied.
    #[error("the platform could not be copied")]
    Platform(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A made world that makes no sense.
    #[error("a made world names what it does not have")]
    World,
    /// The engine counts otherwise than a plain loop.
    #[error("the engine and a plain count disagree over the same events: its answers cannot be judged")]
    Disagree,
}

/// What is played.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Makes the same run again.
    pub seed: u64,
    /// Fewer worlds and trials, so wider margins.
    pub quick: bool,
    /// One attack alone.
    pub only: Option<Attack>,
}

/// A platform that is attacked beside the made worlds.
pub struct Platform<'p> {
    /// What it is called on the scorecard.
    pub name: &'p str,
    /// Its policy.
    pub policy: Policy,
    /// Opens a copy of its store that nobody else has and that may be changed.
    pub copy: &'p (dyn Fn() -> Result<Store, AttackError> + Sync),
}

/// What each attack is played with.
pub(crate) struct Run<'p> {
    pub(crate) platform: &'p Platform<'p>,
    options: Options,
    /// A copy that no attack changes.
    untouched: Mutex<Option<Store>>,
}

impl Run<'_> {
    /// A copy of the platform that must stay as it is.
    pub(crate) fn untouched(&self) -> Result<Store, AttackError> {
        let mut untouched = self.untouched.lock().unwrap_or_else(PoisonError::into_inner);
        match untouched.as_ref() {
            Some(store) => Ok(store.clone()),
            None => Ok(untouched.insert((self.platform.copy)()?).clone()),
        }
    }

    /// The default policy, which made worlds are attacked under.
    pub(crate) fn noise(&self) -> Policy {
        Policy::default()
    }

    /// The same floor without noise.
    pub(crate) fn threshold(&self) -> Result<Policy, AttackError> {
        Ok(Policy::new(AUDIENCE_MIN_DEFAULT, Protection::Threshold, ROLLING_STEP_DAYS_DEFAULT)?)
    }

    /// So many of something in a quick run, or in a full one.
    pub(crate) fn size(&self, quick: usize, full: usize) -> usize {
        if self.options.quick { quick } else { full }
    }

    /// A seed for one attack; its parts add small numbers to it.
    pub(crate) fn seed(&self, name: &str) -> u64 {
        // FNV-1a, so that adding an attack changes no other one's worlds.
        let start = 0xcbf2_9ce4_8422_2325 ^ self.options.seed;
        name.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    }
}

/// Plays the attacks, some at a time, and returns what came of them.
pub fn run(options: Options, platform: &Platform<'_>) -> Result<Scorecard, AttackError> {
    let run = Run { platform, options, untouched: Mutex::new(None) };
    let attacks: Vec<Attack> =
        Attack::ALL.into_iter().filter(|&each| options.only.is_none_or(|only| only == each)).collect();
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(attacks.len());
    let take = || {
        let at = next.fetch_add(1, Ordering::Relaxed);
        attacks.get(at).map(|&attack| (at, attack))
    };
    let work = || {
        while let Some((at, attack)) = take() {
            let lines = attack.play(&run);
            results.lock().unwrap_or_else(PoisonError::into_inner).push((at, lines));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(at, _)| *at);
    let mut lines = Vec::new();
    for (_, result) in results {
        lines.extend(result?);
    }
    Ok(Scorecard::new(options.seed, options.quick, lines))
}

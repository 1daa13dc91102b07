//! What held on sealed days and has been replaced in the catalogue since.
//!
//! What was answered over sealed days must stay, or the difference between two answers would tell more than either. So a
//! change of a video's channel, length or hashtags, or of a creator's zone, holds from the first open day on; here is what
//! the days before it keep. Public counters do not look here: they follow the catalogue of now.

use bincode::{Decode, Encode};
use throng_model::{CreatorId, Day, Hashtag, IdError, Zone};

use crate::catalogue::{Catalogue, CreatorEntry, VideoEntry};
use crate::codec::{DamageError, Last};
use crate::root::Seals;
use crate::row::{CreatorOrd, VideoOrd};
use crate::snapshot::sealed_through;

/// Facts of a video that held through a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PastVideo {
    through: Day,
    creator: CreatorOrd,
    duration_ms: Option<u32>,
    hashtags: Box<[Hashtag<'static>]>,
}

impl PastVideo {
    /// The hashtags that it carried.
    pub(crate) fn hashtags(&self) -> &[Hashtag<'static>] {
        &self.hashtags
    }
}

/// What a video was on a run of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VideoPeriod<'e> {
    /// The first of the days.
    pub first: Day,
    /// The last of the days; [`Day::MAX`] for what holds now.
    pub last: Day,
    /// Whose channel it was on.
    pub creator: CreatorOrd,
    /// Its length in ms.
    pub duration_ms: Option<u32>,
    /// Its hashtags.
    pub hashtags: &'e [Hashtag<'static>],
}

impl VideoEntry {
    /// What the video was, from the first day to the last; together the periods are all days.
    pub fn periods(&self) -> impl Iterator<Item = VideoPeriod<'_>> {
        let past = self.past.iter().map(|it| (it.through, it.creator, it.duration_ms, &*it.hashtags));
        let now = (Day::MAX, self.creator, self.duration_ms, &*self.hashtags);
        past.chain([now]).scan(Day::MIN, |first, (last, creator, duration_ms, hashtags)| {
            let begins = std::mem::replace(first, last.next());
            Some(VideoPeriod { first: begins, last, creator, duration_ms, hashtags })
        })
    }

    /// The periods before what holds now.
    pub fn past_periods(&self) -> impl Iterator<Item = VideoPeriod<'_>> {
        self.periods().take(self.past.len())
    }

    /// Whether it was the same on every day.
    pub fn is_unchanged(&self) -> bool {
        self.past.is_empty()
    }

    /// What the video was on a day.
    pub fn on(&self, day: Day) -> Option<VideoPeriod<'_>> {
        self.periods().find(|period| day <= period.last)
    }

    /// The day from which windows by age count: that of publication, until it is sealed, and from then on never another.
    pub fn windows_from(&self, catalogue: &Catalogue) -> Option<Day> {
        let published = || Some(catalogue.creator(self.creator)?.zone.day_of(self.published_at?));
        self.windows_from.or_else(published)
    }

    /// Keeps the day of publication where it is sealed, before anything changes.
    pub(crate) fn keep_windows(&mut self, catalogue: &Catalogue, seals: &Seals) {
        let sealed = self.sealed_through(catalogue, seals);
        self.windows_from = self.windows_from(catalogue).filter(|&day| Some(day) <= sealed);
    }

    /// Keeps what an older entry of the same video says of days sealed on its channel, or on the one that it moves to.
    /// Days that an even older entry speaks of stay with that.
    pub(crate) fn keep_past(&mut self, mut old: Self, catalogue: &Catalogue, seals: &Seals) {
        old.keep_windows(catalogue, seals);
        let Self { windows_from, past, creator, duration_ms, hashtags, .. } = old;
        (self.windows_from, self.past) = (windows_from, past);
        let sealed = |creator| sealed_through(catalogue, seals, creator);
        let Some(through) = sealed(creator).max(sealed(self.creator)) else { return };
        let same = (creator, duration_ms, &hashtags) == (self.creator, self.duration_ms, &self.hashtags);
        if !same && self.past.last().is_none_or(|last| last.through < through) {
            self.past.push(PastVideo { through, creator, duration_ms, hashtags });
        }
    }

    /// The last day through which every period is sealed on its channel. It never goes back, also where the video moves.
    pub(crate) fn sealed_through(&self, catalogue: &Catalogue, seals: &Seals) -> Option<Day> {
        let mut through = None;
        for period in self.periods() {
            let sealed = sealed_through(catalogue, seals, period.creator);
            through = through.max(sealed.map(|day| day.min(period.last)));
            if sealed < Some(period.last) {
                break;
            }
        }
        through
    }
}

impl CreatorEntry {
    /// The zones that the creator's days were cut by, each with the last of its days; the last one's is [`Day::MAX`].
    pub fn zones(&self) -> impl Iterator<Item = (Day, &Zone)> {
        self.past_zones.iter().map(|(through, zone)| (*through, zone)).chain([(Day::MAX, &self.zone)])
    }

    /// Changes the zone. What is sealed stays so, whatever the new zone's clock says, and keeps its zone.
    pub(crate) fn set_zone(&mut self, zone: Zone, sealed: Option<Day>) {
        let old = std::mem::replace(&mut self.zone, zone);
        self.sealed_through = sealed;
        if let Some(through) = sealed.filter(|&through| self.past_zones.last().is_none_or(|it| it.0 < through)) {
            self.past_zones.push((through, old));
        }
    }
}

/// A channel that another agrees to share its overlap with, for days that were open when it agreed, and later ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreement {
    with: CreatorId<'static>,
    from: Day,
}

impl CreatorEntry {
    /// The first day that an agreement with a channel is about; `None` where there is none. Of any day, all agreements that
    /// ever are about it were there together when it was sealed: those that came later begin later, and those that went do
    /// not come back to it.
    pub fn agrees_from(&self, with: &CreatorId<'_>) -> Option<Day> {
        self.agreements.iter().find(|agreement| agreement.with == *with).map(|agreement| agreement.from)
    }

    /// Replaces the agreements; those that stay keep their days.
    pub(crate) fn agree(&mut self, with: Vec<CreatorId<'static>>, sealed: Option<Day>) {
        let first_open = sealed.map_or(Day::MIN, Day::next);
        let agreements = with.into_iter().map(|with| {
            let from = self.agrees_from(&with).unwrap_or(first_open);
            Agreement { with, from }
        });
        self.agreements = agreements.collect();
    }
}

/// The past of some entries as stored; entries without any are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
pub(crate) struct PastRecord {
    creators: Vec<PastCreatorRecord>,
    videos: Vec<PastVideoRecord>,
    agreements: Last<Vec<AgreementsRecord>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct AgreementsRecord {
    ordinal: CreatorOrd,
    with: Vec<(String, u16)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct PastCreatorRecord {
    ordinal: CreatorOrd,
    zones: Vec<(u16, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct PastVideoRecord {
    ordinal: VideoOrd,
    windows_from: Option<u16>,
    periods: Vec<PeriodRecord>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
struct PeriodRecord {
    through: u16,
    creator: CreatorOrd,
    duration_ms: Option<u32>,
    hashtags: Vec<String>,
}

impl PastRecord {
    /// The past of these creators and videos; `None` where they have none.
    pub(crate) fn of(
        catalogue: &Catalogue,
        creators: impl Iterator<Item = CreatorOrd> + Clone,
        videos: impl Iterator<Item = VideoOrd>,
    ) -> Option<Self> {
        let agreements = creators.clone().filter_map(|ordinal| {
            let all = &catalogue.creator(ordinal)?.agreements;
            let with = all.iter().map(|each| (each.with.as_str().to_owned(), each.from.number())).collect();
            (!all.is_empty()).then_some(AgreementsRecord { ordinal, with })
        });
        let agreements: Vec<AgreementsRecord> = agreements.collect();
        let agreements = Last((!agreements.is_empty()).then_some(agreements));
        let creators = creators.filter_map(|ordinal| {
            let past = &catalogue.creator(ordinal)?.past_zones;
            let zones = past.iter().map(|(through, zone)| (through.number(), zone.name().to_owned())).collect();
            (!past.is_empty()).then_some(PastCreatorRecord { ordinal, zones })
        });
        let videos = videos.filter_map(|ordinal| {
            let VideoEntry { windows_from, past, .. } = catalogue.video(ordinal)?;
            let record = PastVideoRecord {
                ordinal,
                windows_from: windows_from.map(Day::number),
                periods: past.iter().map(PeriodRecord::of).collect(),
            };
            (windows_from.is_some() || !past.is_empty()).then_some(record)
        });
        let record = Self { creators: creators.collect(), videos: videos.collect(), agreements };
        (record != Self::default()).then_some(record)
    }

    /// Puts the past back into entries that were restored just before.
    pub(crate) fn restore(self, catalogue: &mut Catalogue) -> Result<(), DamageError> {
        for PastCreatorRecord { ordinal, zones } in self.creators {
            let zones = zones
                .into_iter()
                .map(|(through, name)| Ok((day(through)?, Zone::parse(&name).map_err(|_| BAD)?)))
                .collect::<Result<Vec<_>, DamageError>>()?;
            catalogue.creator(ordinal).ok_or(BAD)?;
            catalogue.change_creator(ordinal, |entry| entry.past_zones = zones);
        }
        for PastVideoRecord { ordinal, windows_from, periods } in self.videos {
            let mut entry = catalogue.video(ordinal).cloned().ok_or(BAD)?;
            entry.windows_from = windows_from.map(day).transpose()?;
            entry.past = periods.into_iter().map(PeriodRecord::read).collect::<Result<_, _>>()?;
            catalogue.put_video(ordinal, entry);
        }
        for AgreementsRecord { ordinal, with } in self.agreements.0.into_iter().flatten() {
            let agreement =
                |(id, from)| Ok(Agreement { with: CreatorId::parse(id).map_err(|_: IdError| BAD)?, from: day(from)? });
            let agreements = with.into_iter().map(agreement).collect::<Result<Vec<_>, DamageError>>()?;
            catalogue.creator(ordinal).ok_or(BAD)?;
            catalogue.change_creator(ordinal, |entry| entry.agreements = agreements);
        }
        Ok(())
    }
}

impl PeriodRecord {
    fn of(past: &PastVideo) -> Self {
        Self {
            through: past.through.number(),
            creator: past.creator,
            duration_ms: past.duration_ms,
            hashtags: past.hashtags.iter().map(|tag| tag.as_str().to_owned()).collect(),
        }
    }

    fn read(self) -> Result<PastVideo, DamageError> {
        let tags = self.hashtags.iter().map(|tag| Hashtag::parse(tag).map(Hashtag::into_owned));
        Ok(PastVideo {
            through: day(self.through)?,
            creator: self.creator,
            duration_ms: self.duration_ms,
            hashtags: tags.collect::<Result<_, _>>().map_err(|_| BAD)?,
        })
    }
}

fn day(number: u16) -> Result<Day, DamageError> {
    Day::from_number(i64::from(number)).map_err(|_| BAD)
}

const BAD: DamageError = DamageError::Malformed("catalogue");

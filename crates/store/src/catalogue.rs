//! The catalogue: creators and videos by ordinal and by id, in maps that copy on write.
//!
//! A snapshot keeps a clone, which costs nothing; the writer changes its own. Entries come from catalogue rows and from
//! events that name a creator or video for the first time.

use std::borrow::Cow;
use std::sync::Arc;

use bincode::{Decode, Encode};
use imbl::{HashMap, OrdMap, OrdSet, Vector};
use roaring::RoaringBitmap;
use throng_model::{CreatorId, CreatorRow, Day, Hashtag, Name, Timestamp, VideoId, VideoOrder, VideoRow, Zone};

use crate::codec::DamageError;
use crate::parts::Changes;
use crate::past::{Agreement, PastVideo};
use crate::root::Seals;
use crate::row::{CreatorOrd, VideoOrd};
use crate::snapshot::sealed_through;

/// A creator as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatorEntry {
    /// The platform's id.
    pub id: CreatorId<'static>,
    /// The name shown to people.
    pub handle: Option<Name<'static>>,
    /// The reporting zone.
    pub zone: Zone,
    /// The last day that was sealed for this creator alone; see `Snapshot::sealed_through` for what holds.
    pub(crate) sealed_through: Option<Day>,
    /// Generations of sealed days that were reopened, by day; days not listed are in generation 0.
    pub(crate) reopened: OrdMap<Day, u32>,
    /// Zones that sealed days keep, each with the last of its days, ascending.
    pub(crate) past_zones: Vec<(Day, Zone)>,
    /// Channels that it agrees to share its overlap with.
    pub(crate) agreements: Vec<Agreement>,
}

/// A video as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoEntry {
    /// The platform's id.
    pub id: VideoId<'static>,
    /// Whose channel it is on now. Events keep the creator that they came in for.
    pub creator: CreatorOrd,
    /// When it went public.
    pub published_at: Option<Timestamp>,
    /// Length in ms.
    pub duration_ms: Option<u32>,
    /// Hashtags.
    pub hashtags: Box<[Hashtag<'static>]>,
    /// The sound it uses.
    pub sound: Option<Name<'static>>,
    /// Its title.
    pub title: Option<Box<str>>,
    /// Its language.
    pub language: Option<Name<'static>>,
    /// The day of publication as it was when days from it on were sealed already; see [`Self::windows_from`].
    pub(crate) windows_from: Option<Day>,
    /// What sealed days keep, oldest first, the last days ascending.
    pub(crate) past: Vec<PastVideo>,
}

/// Every creator, video and hashtag.
#[derive(Clone, Default)]
pub struct Catalogue {
    creators: Vector<Arc<CreatorEntry>>,
    videos: Vector<Arc<VideoEntry>>,
    creator_ords: HashMap<Arc<str>, CreatorOrd>,
    video_ords: HashMap<Arc<str>, VideoOrd>,
    /// Creators in the order of their ids, for listing.
    creators_by_id: OrdMap<Arc<str>, CreatorOrd>,
    /// Videos of each creator in the order of their ids, for listing.
    channels: OrdMap<(CreatorOrd, Arc<str>), VideoOrd>,
    hashtags: OrdMap<Arc<str>, Arc<RoaringBitmap>>,
    /// Videos that carried a hashtag on sealed days, whether they do now or not.
    past_hashtags: OrdMap<Arc<str>, Arc<RoaringBitmap>>,
    /// Creators with sealed days that were reopened; there are few, or none.
    reopened_creators: OrdSet<CreatorOrd>,
}

impl Catalogue {
    /// The ordinal of a creator's id.
    pub fn creator_ord(&self, id: &str) -> Option<CreatorOrd> {
        self.creator_ords.get(id).copied()
    }

    /// A creator.
    pub fn creator(&self, creator: CreatorOrd) -> Option<&CreatorEntry> {
        self.creators.get(creator.0 as usize).map(Arc::as_ref)
    }

    /// The ordinal of a video's id.
    pub fn video_ord(&self, id: &str) -> Option<VideoOrd> {
        self.video_ords.get(id).copied()
    }

    /// A video.
    pub fn video(&self, video: VideoOrd) -> Option<&VideoEntry> {
        self.videos.get(video.0 as usize).map(Arc::as_ref)
    }

    /// A video's length in ms, where known.
    pub fn duration_ms(&self, video: VideoOrd) -> Option<u32> {
        self.video(video)?.duration_ms
    }

    /// Ordinals of the videos that carry a hashtag.
    pub fn hashtag_videos(&self, tag: &str) -> Option<&RoaringBitmap> {
        self.hashtags.get(tag).map(Arc::as_ref).filter(|videos| !videos.is_empty())
    }

    /// Ordinals of the videos that carry a hashtag, or that carried it on a sealed day before they changed.
    pub fn hashtag_videos_ever(&self, tag: &str) -> Option<Cow<'_, RoaringBitmap>> {
        match (self.hashtag_videos(tag), self.past_hashtags.get(tag)) {
            (Some(now), Some(past)) => Some(Cow::Owned(now | past.as_ref())),
            (now, past) => now.or(past.map(Arc::as_ref)).map(Cow::Borrowed),
        }
    }

    /// Creators in the order of their ids, after one of them.
    pub fn creators_after(&self, after: Option<&str>, limit: usize) -> Vec<CreatorOrd> {
        let all = match after {
            Some(after) => self.creators_by_id.range((std::ops::Bound::Excluded(Arc::from(after)), UNBOUNDED)),
            None => self.creators_by_id.range::<_, Arc<str>>(..),
        };
        all.take(limit).map(|(_, &creator)| creator).collect()
    }

    /// A creator's videos in the order of their ids, after one of them.
    pub fn videos_after(&self, creator: CreatorOrd, after: Option<&str>, limit: usize) -> Vec<VideoOrd> {
        use std::ops::Bound::{Excluded, Included};
        let from = match after {
            Some(after) => Excluded((creator, Arc::from(after))),
            None => Included((creator, Arc::from(""))),
        };
        let rest = self.channels.range((from, std::ops::Bound::<(CreatorOrd, Arc<str>)>::Unbounded));
        rest.take_while(|((owner, _), _)| *owner == creator).take(limit).map(|(_, &video)| video).collect()
    }

    /// A creator's videos by when they went public, after a rank and an id ([`VideoOrder::rank`]). Walks all of them.
    pub fn videos_by_age(
        &self,
        creator: CreatorOrd,
        order: VideoOrder,
        after: Option<(i64, &str)>,
        limit: usize,
    ) -> Vec<VideoOrd> {
        let all = self.channels.range((creator, Arc::from(""))..).take_while(|((owner, _), _)| *owner == creator);
        let placed = all.map(|((_, id), &video)| {
            let published_at = self.video(video).and_then(|entry| entry.published_at);
            (order.rank(published_at), id.as_ref(), video)
        });
        let mut rest: Vec<(i64, &str, VideoOrd)> =
            placed.filter(|(rank, id, _)| after.is_none_or(|after| (*rank, *id) > after)).collect();
        if limit < rest.len() {
            rest.select_nth_unstable(limit);
            rest.truncate(limit);
        }
        rest.sort_unstable();
        rest.into_iter().map(|(.., video)| video).collect()
    }

    /// Number of creators; their ordinals are below it.
    pub fn creator_count(&self) -> u32 {
        u32::try_from(self.creators.len()).unwrap_or(u32::MAX)
    }

    /// Number of videos; their ordinals are below it.
    pub fn video_count(&self) -> u32 {
        u32::try_from(self.videos.len()).unwrap_or(u32::MAX)
    }

    /// The creator of an id, made where it is new.
    pub(crate) fn intern_creator(&mut self, id: &str) -> (CreatorOrd, bool) {
        if let Some(known) = self.creator_ord(id) {
            return (known, false);
        }
        let creator = CreatorOrd(self.creator_count());
        let key: Arc<str> = Arc::from(id);
        self.creator_ords.insert(key.clone(), creator);
        self.creators_by_id.insert(key, creator);
        // Ids come out of valid events and catalogue rows only.
        if let Ok(id) = CreatorId::parse(id.to_owned()) {
            self.creators.push_back(Arc::new(CreatorEntry {
                id,
                handle: None,
                zone: Zone::UTC,
                sealed_through: None,
                reopened: OrdMap::new(),
                past_zones: Vec::new(),
                agreements: Vec::new(),
            }));
        }
        (creator, true)
    }

    /// The video of an id, made for this creator where it is new.
    pub(crate) fn intern_video(&mut self, id: &str, creator: CreatorOrd) -> (VideoOrd, bool) {
        if let Some(known) = self.video_ord(id) {
            return (known, false);
        }
        let video = VideoOrd(self.video_count());
        if let Ok(id) = VideoId::parse(id.to_owned()) {
            let entry = VideoEntry {
                id,
                creator,
                published_at: None,
                duration_ms: None,
                hashtags: Box::default(),
                sound: None,
                title: None,
                language: None,
                windows_from: None,
                past: Vec::new(),
            };
            self.put_video(video, entry);
        }
        (video, true)
    }

    /// Replaces what the catalogue says of a creator; sealed days keep their zone. Gives a known creator whose zone changed.
    pub(crate) fn apply_creator(
        &mut self,
        row: CreatorRow,
        seals: &Seals,
        changes: &mut Changes,
    ) -> Option<CreatorOrd> {
        let (creator, is_new) = self.intern_creator(row.creator.as_str());
        let moves = !is_new && self.creator(creator).is_some_and(|entry| entry.zone != row.time_zone);
        let sealed = sealed_through(self, seals, creator);
        if moves {
            self.keep_windows(creator, seals, changes);
        }
        self.change_creator(creator, |entry| {
            entry.handle = row.handle;
            if moves {
                entry.set_zone(row.time_zone, sealed);
            } else {
                entry.zone = row.time_zone;
            }
        });
        // Days that were sealed before, by the old zone's clock or the new one's, are not open to an agreement.
        let sealed = sealed_through(self, seals, creator).max(sealed);
        self.change_creator(creator, |entry| entry.agree(row.overlap_with, sealed));
        changes.creators.insert(creator);
        moves.then_some(creator)
    }

    /// Keeps the days of publication of a creator's videos that are sealed, before its zone changes.
    fn keep_windows(&mut self, creator: CreatorOrd, seals: &Seals, changes: &mut Changes) {
        for video in self.videos_after(creator, None, usize::MAX) {
            let Some(old) = self.video(video) else { continue };
            let mut entry = old.clone();
            entry.keep_windows(self, seals);
            if entry != *old {
                self.put_video(video, entry);
                changes.videos.insert(video);
            }
        }
    }

    /// Replaces what the catalogue says of a video, but for sealed days; makes its creator where it is new.
    pub(crate) fn apply_video(&mut self, row: VideoRow, seals: &Seals, changes: &mut Changes) {
        let (creator, is_new) = self.intern_creator(row.creator.as_str());
        if is_new {
            changes.creators.insert(creator);
        }
        let video = self.video_ord(row.video.as_str()).unwrap_or(VideoOrd(self.video_count()));
        let mut entry = VideoEntry {
            id: row.video,
            creator,
            published_at: row.published_at,
            duration_ms: row.duration_ms,
            hashtags: row.hashtags.into(),
            sound: row.sound,
            title: row.title.map(Into::into),
            language: row.language,
            windows_from: None,
            past: Vec::new(),
        };
        if let Some(old) = self.video(video).cloned() {
            entry.keep_past(old, self, seals);
        }
        self.put_video(video, entry);
        changes.videos.insert(video);
    }

    pub(crate) fn change_creator(&mut self, creator: CreatorOrd, change: impl FnOnce(&mut CreatorEntry)) {
        if let Some(entry) = self.creators.get_mut(creator.0 as usize) {
            change(Arc::make_mut(entry));
            if !entry.reopened.is_empty() {
                self.reopened_creators.insert(creator);
            }
        }
    }

    /// Creators with sealed days that were reopened.
    pub(crate) fn reopened_creators(&self) -> impl Iterator<Item = CreatorOrd> {
        self.reopened_creators.iter().copied()
    }

    /// Puts a video at its ordinal: an existing one, or the next.
    pub(crate) fn put_video(&mut self, video: VideoOrd, entry: VideoEntry) {
        let id: Arc<str> = Arc::from(entry.id.as_str());
        if let Some(old) = self.videos.get(video.0 as usize).cloned() {
            self.channels.remove(&(old.creator, id.clone()));
            for tag in &old.hashtags {
                if let Some(set) = self.hashtags.get_mut(tag.as_str()) {
                    Arc::make_mut(set).remove(video.0);
                }
            }
        }
        for tag in &entry.hashtags {
            let set = self.hashtags.entry(Arc::from(tag.as_str())).or_default();
            Arc::make_mut(set).insert(video.0);
        }
        // Nothing of the past ever goes away.
        for tag in entry.past.iter().flat_map(PastVideo::hashtags) {
            let set = self.past_hashtags.entry(Arc::from(tag.as_str())).or_default();
            Arc::make_mut(set).insert(video.0);
        }
        self.channels.insert((entry.creator, id.clone()), video);
        self.video_ords.insert(id, video);
        match self.videos.get_mut(video.0 as usize) {
            Some(slot) => *slot = Arc::new(entry),
            None => self.videos.push_back(Arc::new(entry)),
        }
    }

    pub(crate) fn creator_record(&self, creator: CreatorOrd) -> Option<CreatorRecord> {
        let entry = self.creator(creator)?;
        Some(CreatorRecord {
            ordinal: creator,
            id: entry.id.as_str().to_owned(),
            handle: entry.handle.as_ref().map(|name| name.as_str().to_owned()),
            zone: entry.zone.name().to_owned(),
            sealed_through: entry.sealed_through.map(Day::number),
            reopened: entry.reopened.iter().map(|(day, &generation)| (day.number(), generation)).collect(),
        })
    }

    pub(crate) fn video_record(&self, video: VideoOrd) -> Option<VideoRecord> {
        let entry = self.video(video)?;
        Some(VideoRecord {
            ordinal: video,
            id: entry.id.as_str().to_owned(),
            creator: entry.creator,
            published_at: entry.published_at.map(Timestamp::millis),
            duration_ms: entry.duration_ms,
            hashtags: entry.hashtags.iter().map(|tag| tag.as_str().to_owned()).collect(),
            sound: entry.sound.as_ref().map(|name| name.as_str().to_owned()),
            title: entry.title.as_ref().map(ToString::to_string),
            language: entry.language.as_ref().map(|name| name.as_str().to_owned()),
        })
    }

    /// Puts a stored creator back. Records of new creators come in the order of their ordinals.
    pub(crate) fn restore_creator(&mut self, record: CreatorRecord) -> Result<(), DamageError> {
        let (creator, _) = self.intern_creator(&record.id);
        if creator != record.ordinal || self.creator(creator).is_none() {
            return Err(BAD);
        }
        let handle = record.handle.map(Name::parse).transpose().map_err(|_| BAD)?;
        let zone = Zone::parse(&record.zone).map_err(|_| BAD)?;
        let day = |number: u16| Day::from_number(i64::from(number)).map_err(|_| BAD);
        let sealed_through = record.sealed_through.map(day).transpose()?;
        let reopened = record
            .reopened
            .into_iter()
            .map(|(number, generation)| Ok((day(number)?, generation)))
            .collect::<Result<OrdMap<_, _>, DamageError>>()?;
        self.change_creator(creator, |entry| {
            entry.handle = handle;
            entry.zone = zone;
            entry.sealed_through = sealed_through;
            entry.reopened = reopened;
            entry.agreements.clear();
        });
        Ok(())
    }

    /// Puts a stored video back, after its creator.
    pub(crate) fn restore_video(&mut self, record: VideoRecord) -> Result<(), DamageError> {
        let expected = self.video_ord(&record.id).unwrap_or(VideoOrd(self.video_count()));
        if expected != record.ordinal || self.creator(record.creator).is_none() {
            return Err(BAD);
        }
        let name = |text: Option<String>| text.map(Name::parse).transpose().map_err(|_| BAD);
        let hashtags: Result<Vec<_>, _> =
            record.hashtags.iter().map(|tag| Hashtag::parse(tag).map(Hashtag::into_owned)).collect();
        let entry = VideoEntry {
            id: VideoId::parse(record.id).map_err(|_| BAD)?,
            creator: record.creator,
            published_at: record.published_at.map(Timestamp::from_millis).transpose().map_err(|_| BAD)?,
            duration_ms: record.duration_ms,
            hashtags: hashtags.map_err(|_| BAD)?.into(),
            sound: name(record.sound)?,
            title: record.title.map(Into::into),
            language: name(record.language)?,
            windows_from: None,
            past: Vec::new(),
        };
        self.put_video(record.ordinal, entry);
        Ok(())
    }
}

const UNBOUNDED: std::ops::Bound<Arc<str>> = std::ops::Bound::Unbounded;

const BAD: DamageError = DamageError::Malformed("catalogue");

/// A creator as stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct CreatorRecord {
    pub(crate) ordinal: CreatorOrd,
    id: String,
    handle: Option<String>,
    zone: String,
    sealed_through: Option<u16>,
    reopened: Vec<(u16, u32)>,
}

/// A video as stored.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct VideoRecord {
    pub(crate) ordinal: VideoOrd,
    id: String,
    creator: CreatorOrd,
    published_at: Option<i64>,
    duration_ms: Option<u32>,
    hashtags: Vec<String>,
    sound: Option<String>,
    title: Option<String>,
    language: Option<String>,
}

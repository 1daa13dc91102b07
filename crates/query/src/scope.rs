//! What an entity means in rows: a channel's, those of some videos, or all, and where they lie. Here the catalogue of now says
//! so, as public counters want it; for insights see `frozen`.

use std::borrow::Cow;
use std::sync::Arc;

use throng_model::{DayRange, Entity, Zone};
use throng_privacy::SourceError;
use throng_store::{AudienceOf, CreatorOrd, DayRollup, ReadError, Row, Segment, Snapshot, VideoOrd, VideoSpan};

/// Why a question failed below the wall.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The entity is not known.
    #[error("not known")]
    Unknown,
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
}

impl From<Failure> for SourceError {
    /// Logs what the caller must not see.
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unknown => Self::Unknown,
            Failure::Read(error) if error.would_wait() => Self::Unavailable,
            Failure::Read(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "a question could not be answered");
                Self::Unavailable
            }
        }
    }
}

/// An entity's rows.
pub(crate) enum Scope {
    /// Everything on a channel.
    Channel(CreatorOrd),
    /// Everything of these videos, on whichever channel it was counted.
    Videos(Vec<VideoOrd>),
    /// Everything.
    Platform,
}

/// An entity that the catalogue knows.
pub(crate) struct Asked {
    /// Its rows.
    pub(crate) scope: Scope,
    /// The zone of its clock: a channel's own, a video's channel's, UTC for a hashtag and the platform.
    pub(crate) zone: Zone,
}

impl Asked {
    /// Looks an entity up.
    pub(crate) fn find(snapshot: &Snapshot, entity: &Entity) -> Result<Self, Failure> {
        let catalogue = snapshot.catalogue();
        let zone_of = |creator| catalogue.creator(creator).map(|entry| entry.zone.clone()).unwrap_or_default();
        let found = match entity {
            Entity::Creator(id) => catalogue
                .creator_ord(id.as_str())
                .map(|creator| Self { scope: Scope::Channel(creator), zone: zone_of(creator) }),
            Entity::Video(id) => catalogue.video_ord(id.as_str()).and_then(|video| {
                let creator = catalogue.video(video)?.creator;
                Some(Self { scope: Scope::Videos(vec![video]), zone: zone_of(creator) })
            }),
            Entity::Hashtag(tag) => catalogue.hashtag_videos_ever(tag.as_str()).map(|_| {
                let videos = catalogue.hashtag_videos(tag.as_str()).into_iter().flatten().map(VideoOrd);
                Self { scope: Scope::Videos(videos.collect()), zone: Zone::UTC }
            }),
            Entity::Platform => Some(Self { scope: Scope::Platform, zone: Zone::UTC }),
            // It has insights only.
            Entity::Overlap(_) => None,
        };
        found.ok_or(Failure::Unknown)
    }

    /// The entity's parts in the segments that touch the days.
    pub(crate) fn parts<'s>(&self, snapshot: &'s Snapshot, days: DayRange) -> Result<Vec<Part<'s>>, ReadError> {
        let mut parts = Vec::new();
        for segment in snapshot.segments().iter().filter(|segment| segment.touches(days)) {
            match &self.scope {
                Scope::Channel(creator) => parts.extend(Part::of_channel(segment, *creator)?),
                Scope::Platform => {
                    for creator in segment.creators()? {
                        parts.extend(Part::of_channel(segment, creator)?);
                    }
                }
                Scope::Videos(videos) => {
                    for &video in videos {
                        let spans = segment.video_spans(video)?;
                        parts.extend(spans.into_iter().map(|(_, span)| Part::of_video(segment, span)));
                    }
                }
            }
        }
        Ok(parts)
    }

    /// The entity's rows that are in no segment yet.
    pub(crate) fn tail<'s>(&self, snapshot: &'s Snapshot) -> Vec<&'s Row> {
        let tail = snapshot.tail();
        match &self.scope {
            Scope::Channel(creator) => tail.creator_rows(*creator).collect(),
            Scope::Videos(videos) => videos.iter().flat_map(|&video| tail.video_rows(video)).collect(),
            Scope::Platform => tail.rows().collect(),
        }
    }
}

/// An entity's share of one segment.
pub(crate) struct Part<'s> {
    pub(crate) segment: &'s Arc<Segment>,
    /// The channel, where the part is all of its rows; otherwise the part is one video.
    channel: Option<CreatorOrd>,
    pub(crate) spans: Cow<'s, [VideoSpan]>,
}

impl<'s> Part<'s> {
    /// All of a channel, where it has rows.
    pub(crate) fn of_channel(segment: &'s Arc<Segment>, creator: CreatorOrd) -> Result<Option<Self>, ReadError> {
        let spans = segment.creator_videos(creator)?;
        Ok((!spans.is_empty()).then_some(Self { segment, channel: Some(creator), spans: Cow::Borrowed(spans) }))
    }

    /// One video on one channel.
    pub(crate) fn of_video(segment: &'s Arc<Segment>, span: VideoSpan) -> Self {
        Self { segment, channel: None, spans: Cow::Owned(vec![span]) }
    }

    /// The same, where the span is at hand.
    pub(crate) fn of_span(segment: &'s Arc<Segment>, span: &'s VideoSpan) -> Self {
        Self { segment, channel: None, spans: Cow::Borrowed(std::slice::from_ref(span)) }
    }

    /// Number of rows, of any day.
    pub(crate) fn rows(&self) -> u32 {
        self.spans.iter().map(|span| span.rows.end - span.rows.start).sum()
    }

    /// The part's rollups.
    pub(crate) fn days(&self, range: DayRange) -> Result<Vec<DayRollup>, ReadError> {
        match (self.channel, &*self.spans) {
            (Some(creator), _) => self.segment.creator_days(creator, range),
            (None, [span]) => self.segment.span_days(span, range),
            (None, _) => Ok(Vec::new()),
        }
    }

    /// The audience of one of the part's rollups, where one is kept.
    pub(crate) fn audience(
        &self,
        rollup: &DayRollup,
        of: AudienceOf,
    ) -> Result<Option<roaring::RoaringBitmap>, ReadError> {
        self.segment.audience(rollup, of)
    }
}

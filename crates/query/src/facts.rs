//! Facts of the public catalogue, as the gate hands them on, and what is sealed of an entity.

use std::collections::BTreeSet;

use throng_model::{CreatorFacts, Day, DayRange, Entity, VideoFacts, VideoId};
use throng_privacy::{Contribution, Rewrites};
use throng_store::{Catalogue, CreatorOrd, Snapshot, VideoOrd};

use crate::frozen::Frozen;
use crate::scope::Failure;

/// A channel.
pub(crate) fn creator(snapshot: &Snapshot, creator: CreatorOrd) -> Option<CreatorFacts> {
    let entry = snapshot.catalogue().creator(creator)?;
    Some(CreatorFacts {
        id: entry.id.clone(),
        handle: entry.handle.clone(),
        time_zone: entry.zone.clone(),
        sealed_through: snapshot.sealed_through(creator),
    })
}

/// A video.
pub(crate) fn video(snapshot: &Snapshot, video: VideoOrd) -> Option<VideoFacts> {
    let catalogue = snapshot.catalogue();
    let entry = catalogue.video(video)?;
    Some(VideoFacts {
        id: entry.id.clone(),
        creator: catalogue.creator(entry.creator)?.id.clone(),
        published_at: entry.published_at,
        duration_ms: entry.duration_ms,
        hashtags: entry.hashtags.to_vec(),
        sound: entry.sound.clone(),
        title: entry.title.as_deref().map(str::to_owned),
        language: entry.language.clone(),
        windows_from: entry.windows_from(catalogue),
        past_durations_ms: entry.past_periods().map(|period| (period.last, period.duration_ms)).collect(),
    })
}

/// A video's id.
pub(crate) fn video_id(catalogue: &Catalogue, video: VideoOrd) -> Option<VideoId<'static>> {
    catalogue.video(video).map(|entry| entry.id.clone())
}

/// The last day through which nothing can come to an entity any more. A hashtag is open to every video of every channel,
/// so its days are sealed when they are sealed everywhere.
pub(crate) fn sealed_through(snapshot: &Snapshot, entity: &Entity) -> Result<Option<Day>, Failure> {
    let catalogue = snapshot.catalogue();
    let found = match entity {
        Entity::Creator(id) => catalogue.creator_ord(id.as_str()).map(|creator| snapshot.sealed_through(creator)),
        Entity::Video(id) => catalogue.video_ord(id.as_str()).map(|video| snapshot.video_sealed_through(video)),
        Entity::Hashtag(tag) => catalogue.hashtag_videos_ever(tag.as_str()).map(|_| snapshot.sealed_everywhere()),
    };
    found.ok_or(Failure::Unknown)
}

/// The last day whose public counters nothing can come to any more. A video's own are open to events that name it beside
/// any channel, so its days are settled when they are sealed everywhere.
pub(crate) fn settled_through(snapshot: &Snapshot, entity: &Entity) -> Option<Day> {
    match entity {
        Entity::Creator(id) => snapshot.sealed_through(snapshot.catalogue().creator_ord(id.as_str())?),
        Entity::Video(_) | Entity::Hashtag(_) => snapshot.sealed_everywhere(),
    }
}

/// How often what was sealed on these days of an entity was rewritten.
pub(crate) fn rewrites(snapshot: &Snapshot, entity: &Entity, days: DayRange) -> Result<Rewrites, Failure> {
    let catalogue = snapshot.catalogue();
    let mut reopened = BTreeSet::new();
    for (channel, days) in Frozen::find(snapshot, entity, days, Contribution::Whole)?.channels() {
        let Some(entry) = catalogue.creator(channel) else { continue };
        let touched = snapshot.reopened(channel).filter(|(day, _)| days.contains(*day));
        reopened.extend(touched.map(|(day, generation)| (entry.id.clone(), day, generation)));
    }
    let epochs = snapshot.epochs().iter().filter(|epoch| epoch.day >= days.last()).map(|epoch| epoch.nonce).collect();
    Ok(Rewrites { reopened: reopened.into_iter().collect(), epochs })
}

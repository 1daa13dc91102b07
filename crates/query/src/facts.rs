//! Facts of the public catalogue, as the gate hands them on, and what is sealed of an entity.

use std::collections::BTreeSet;

use throng_model::{ChannelPair, CreatorFacts, Day, DayRange, Entity, VideoFacts, VideoId};
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

/// Both channels of a pair.
pub(crate) fn channels(catalogue: &Catalogue, pair: &ChannelPair) -> Result<[CreatorOrd; 2], Failure> {
    let [one, other] = pair.channels().each_ref().map(|id| catalogue.creator_ord(id.as_str()).ok_or(Failure::Unknown));
    Ok([one?, other?])
}

/// The first day of which both channels agree to share their overlap.
pub(crate) fn overlap_from(snapshot: &Snapshot, pair: &ChannelPair) -> Option<Day> {
    let catalogue = snapshot.catalogue();
    let [one, other] = channels(catalogue, pair).ok()?.map(|channel| catalogue.creator(channel));
    let [id, other_id] = pair.channels();
    Some(one?.agrees_from(other_id)?.max(other?.agrees_from(id)?))
}

/// A video's id.
pub(crate) fn video_id(catalogue: &Catalogue, video: VideoOrd) -> Option<VideoId<'static>> {
    catalogue.video(video).map(|entry| entry.id.clone())
}

/// The last day through which nothing can come to an entity any more. A hashtag is open to every video of every channel,
/// so its days are sealed when they are sealed everywhere; and so are the platform's.
pub(crate) fn sealed_through(snapshot: &Snapshot, entity: &Entity) -> Result<Option<Day>, Failure> {
    let catalogue = snapshot.catalogue();
    let found = match entity {
        Entity::Creator(id) => catalogue.creator_ord(id.as_str()).map(|creator| snapshot.sealed_through(creator)),
        Entity::Video(id) => catalogue.video_ord(id.as_str()).map(|video| snapshot.video_sealed_through(video)),
        Entity::Hashtag(tag) => catalogue.hashtag_videos_ever(tag.as_str()).map(|_| snapshot.sealed_everywhere()),
        Entity::Platform => Some(snapshot.sealed_everywhere()),
        Entity::Overlap(pair) => {
            let [one, other] = channels(catalogue, pair)?.map(|channel| snapshot.sealed_through(channel));
            Some(one.min(other))
        }
    };
    found.ok_or(Failure::Unknown)
}

/// The last day whose public counters nothing can come to any more. A video's own are open to events that name it beside
/// any channel, so its days are settled when they are sealed everywhere.
pub(crate) fn settled_through(snapshot: &Snapshot, entity: &Entity) -> Option<Day> {
    match entity {
        Entity::Creator(id) => snapshot.sealed_through(snapshot.catalogue().creator_ord(id.as_str())?),
        Entity::Video(_) | Entity::Hashtag(_) | Entity::Platform => snapshot.sealed_everywhere(),
        Entity::Overlap(_) => None,
    }
}

/// How often what was sealed on these days of an entity was rewritten.
pub(crate) fn rewrites(snapshot: &Snapshot, entity: &Entity, days: DayRange) -> Result<Rewrites, Failure> {
    let catalogue = snapshot.catalogue();
    let mut reopened = BTreeSet::new();
    let mut add = |channel: CreatorOrd, day, generation| {
        reopened.extend(catalogue.creator(channel).map(|entry| (entry.id.clone(), day, generation)));
    };
    let touched = match entity {
        Entity::Platform => {
            let all = snapshot.reopened_anywhere().filter(|(_, day, _)| days.contains(*day));
            all.for_each(|(channel, day, generation)| add(channel, day, generation));
            Vec::new()
        }
        Entity::Overlap(pair) => channels(catalogue, pair)?.map(|channel| (channel, days)).into(),
        _ => Frozen::find(snapshot, entity, days, Contribution::Whole)?.channels(),
    };
    for (channel, days) in touched {
        let of_channel = snapshot.reopened(channel).filter(|(day, _)| days.contains(*day));
        of_channel.for_each(|(day, generation)| add(channel, day, generation));
    }
    let epochs = snapshot.epochs().iter().filter(|epoch| epoch.day >= days.last()).map(|epoch| epoch.nonce).collect();
    Ok(Rewrites { reopened: reopened.into_iter().collect(), epochs })
}

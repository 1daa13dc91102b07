//! Facts of the public catalogue, as the gate hands them on.

use throng_model::{CreatorFacts, Day, VideoFacts, VideoId};
use throng_store::{Catalogue, CreatorOrd, Snapshot, VideoOrd};

use crate::scope::{Asked, Scope};

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
    })
}

/// A video's id.
pub(crate) fn video_id(catalogue: &Catalogue, video: VideoOrd) -> Option<VideoId<'static>> {
    catalogue.video(video).map(|entry| entry.id.clone())
}

/// The last day that is sealed for every channel of an entity: a video's is the one that it is on now.
pub(crate) fn sealed_through(snapshot: &Snapshot, asked: &Asked) -> Option<Day> {
    match &asked.scope {
        Scope::Channel(creator) => snapshot.sealed_through(*creator),
        Scope::Videos(videos) => {
            let catalogue = snapshot.catalogue();
            let sealed = |&video: &VideoOrd| snapshot.sealed_through(catalogue.video(video)?.creator);
            // `None` is less than any day: one channel without a sealed day leaves the whole entity without one.
            videos.iter().map(sealed).min().flatten()
        }
    }
}

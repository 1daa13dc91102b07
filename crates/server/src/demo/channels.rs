//! The made-up channels and their videos: how large, about what, for whom, published when.

use throng_model::{AgeBand, Day, DayRange, Gender, Source, Timestamp, Traits};

use super::Scale;
use super::dice::Dice;
use super::places::{KATHMANDU, Place};
use super::words::{self, COMMON_HASHTAGS, NICHES};

/// The rank of the channel that the demonstration shows: not the largest, and the one with the viral video.
pub(super) const FEATURED: usize = 5;
/// The rank of a channel whose days begin at a quarter to the hour.
const KATHMANDU_RANK: usize = 3;

/// A creator's channel.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) id: String,
    pub(super) handle: String,
    pub(super) place: usize,
    pub(super) niche: usize,
    /// Share of its passers-by from its own place.
    pub(super) home_share: f64,
    /// Tilts the subject's share of women.
    female: f64,
    /// Likes per view.
    pub(super) likes: f64,
    /// Weights of the traffic sources, in the order of their codes.
    pub(super) sources: [f64; Source::ALL.len()],
    /// Views over the whole time.
    pub(super) views: f64,
    /// Followers on the first day.
    pub(super) fans: usize,
}

impl Channel {
    /// How likely a passer-by with these traits stays to look, 0 to 1.
    pub(super) fn draws(&self, traits: &Traits) -> f64 {
        let Some(niche) = NICHES.get(self.niche) else { return 1.0 };
        let age =
            traits.age.map_or(1.0, |age: AgeBand| niche.ages.get(usize::from(age.code()) - 1).copied().unwrap_or(1.0));
        let gender = match traits.gender {
            Some(Gender::Female) => self.female,
            Some(Gender::Male) => 1.0 - self.female,
            _ => 0.5,
        };
        age / 2.4 * gender
    }
}

/// A video.
#[derive(Debug)]
pub(super) struct Clip {
    pub(super) id: String,
    /// Index of the channel.
    pub(super) channel: usize,
    pub(super) day: Day,
    pub(super) published_at: Timestamp,
    pub(super) duration_ms: u32,
    /// A few lengths are not in the catalogue.
    pub(super) duration_known: bool,
    pub(super) title: String,
    pub(super) hashtags: Vec<&'static str>,
    pub(super) sound: Option<String>,
    /// Share of the channel's views, in no unit.
    pub(super) weight: f64,
    pub(super) viral: bool,
}

/// Channels by rank. Views fall as 1 ÷ (rank + 2); the last few have fewer viewers than any floor lets through.
pub(super) fn channels(scale: &Scale, places: &[Place], dice: &mut Dice) -> Vec<Channel> {
    let count = scale.creators as usize;
    let small = scale.small_creators();
    let zipf = |rank: usize| 1.0 / (rank + 2) as f64;
    let sum: f64 = (0..count - small).map(zipf).sum();
    let to_share = f64::from(scale.views) * (1.0 - VIRAL_SHARE);
    (0..count)
        .map(|rank| {
            let views = if rank < count - small { to_share * zipf(rank) / sum } else { 3.0 + dice.below(12) as f64 };
            channel(rank, views, places, dice)
        })
        .collect()
}

/// The last days, on which every third new video joins a challenge: a hashtag and a sound that nobody used before.
const CHALLENGE_DAYS: i64 = 4;

/// Share of all views that the viral video has.
pub(super) const VIRAL_SHARE: f64 = 0.07;

fn channel(rank: usize, views: f64, places: &[Place], dice: &mut Dice) -> Channel {
    // In the order of their codes: the recommended feed first.
    const SOURCES: [f64; Source::ALL.len()] = [58.0, 14.0, 6.0, 7.0, 4.0, 3.0, 4.0, 1.5, 2.0, 0.5];
    let drawn = dice.weighted(places.iter().map(|place| place.weight));
    let place = if rank == KATHMANDU_RANK { KATHMANDU } else { drawn };
    let niche = dice.below(NICHES.len());
    let subject = NICHES.get(niche).map_or(0.5, |niche| niche.female);
    let handle = NICHES.get(niche).map_or_else(String::new, |niche| words::handle(niche, rank, dice));
    Channel {
        id: format!("c{:04}", rank + 1),
        handle,
        place,
        niche,
        home_share: dice.between(0.15, 0.75),
        female: (subject + dice.between(-0.15, 0.15)).clamp(0.1, 0.9),
        likes: dice.between(0.05, 0.14),
        sources: SOURCES.map(|weight| weight * dice.between(0.5, 1.5)),
        views,
        fans: (views * dice.between(0.1, 0.25)) as usize,
    }
}

/// The videos of every channel, in the order of the channels.
pub(super) fn clips(channels: &[Channel], days: DayRange, places: &[Place], dice: &mut Dice) -> Vec<Clip> {
    let mut clips = Vec::new();
    for (at, channel) in channels.iter().enumerate() {
        let Some(zone) = places.get(channel.place).map(|place| &place.zone) else { continue };
        let count = 3 + dice.below(14) + (40.0 * channel.views / (channel.views + 8_000.0)) as usize;
        for nth in 0..count {
            let viral = at == FEATURED && nth == 0;
            let total = i64::from(days.days());
            // A third is from before the first day.
            let offset = if viral { total * 2 / 3 } else { dice.below(total as usize * 3 / 2) as i64 - total / 2 };
            let day = days.first().saturating_add(offset);
            let hour = dice.between(15.0, 21.5);
            let published_at = zone.day_start(day).saturating_add_millis((hour * 3_600_000.0) as i64);
            let mut clip = clip(clips.len(), at, channel.niche, (day, published_at), viral, dice);
            if days.last().saturating_add(1 - CHALLENGE_DAYS) <= day && clips.len().is_multiple_of(3) {
                clip.hashtags.insert(0, words::CHALLENGE_HASHTAG);
                clip.sound = Some(words::challenge_sound());
            }
            clips.push(clip);
        }
    }
    clips
}

fn clip(
    number: usize,
    channel: usize,
    niche: usize,
    published: (Day, Timestamp),
    viral: bool,
    dice: &mut Dice,
) -> Clip {
    let short = dice.chance(0.7);
    let seconds = if short { dice.between(6.0, 35.0) } else { dice.between(35.0, 175.0) };
    let niche = NICHES.get(niche);
    let mut hashtags = Vec::new();
    let general = dice.below(2);
    for _ in 0..1 + dice.below(3) {
        hashtags.extend(niche.and_then(|niche| niche.hashtags.get(dice.low_below(niche.hashtags.len()))));
    }
    hashtags.extend(COMMON_HASHTAGS.get(dice.low_below(COMMON_HASHTAGS.len())).filter(|_| general == 0));
    let mut once: Vec<&'static str> = Vec::new();
    hashtags.retain(|tag| {
        let new = !once.contains(tag);
        once.push(tag);
        new
    });
    Clip {
        id: format!("v{:05}", number + 1),
        channel,
        day: published.0,
        published_at: published.1,
        duration_ms: if viral { 21_400 } else { (seconds * 1_000.0) as u32 },
        duration_known: viral || !dice.chance(0.05),
        title: niche.map_or_else(String::new, |niche| words::title(niche, dice)),
        hashtags,
        sound: dice.chance(0.7).then(|| words::sound(dice)),
        // A few videos do most of it: the share of the luckiest is 20 times the median's.
        weight: 1.0 / (0.05 + dice.unit()),
        viral,
    }
}

//! Day after day: how many views each video gets, and everything that comes of them, in the order of time.

use std::collections::HashSet;

use throng_model::{CreatorId, DAY_MS, Day, Event, EventId, Kind, Source, Timestamp, Traits, VideoId, ViewerId};

use super::World;
use super::channels::{Channel, Clip, VIRAL_SHARE};
use super::dice::Dice;
use super::play::{Happening, Moment};

/// Views on a weekday against the average, Monday first.
const WEEK: [f64; 7] = [0.90, 0.88, 0.91, 0.95, 1.07, 1.17, 1.12];
/// Views of the viral video by day of its life, in shares of all its views.
const VIRAL: [f64; 14] = [0.01, 0.04, 0.15, 0.24, 0.19, 0.12, 0.08, 0.05, 0.04, 0.03, 0.02, 0.01, 0.01, 0.01];
/// Followers who leave a channel on a day.
const LEAVE_SHARE: f64 = 0.000_3;

/// Who follows a channel.
#[derive(Debug, Default)]
pub(super) struct Fans {
    list: Vec<u32>,
    /// Looked into, never walked: its order is not fixed.
    set: HashSet<u32>,
}

impl Fans {
    pub(super) fn has(&self, viewer: u32) -> bool {
        self.set.contains(&viewer)
    }

    /// `false` where the viewer follows already.
    pub(super) fn join(&mut self, viewer: u32) -> bool {
        let new = self.set.insert(viewer);
        if new {
            self.list.push(viewer);
        }
        new
    }

    pub(super) fn one(&self, dice: &mut Dice) -> Option<u32> {
        self.list.get(dice.low_below(self.list.len())).copied()
    }

    fn leave(&mut self, dice: &mut Dice) -> Option<u32> {
        let at = dice.below(self.list.len());
        let viewer = (at < self.list.len()).then(|| self.list.swap_remove(at))?;
        self.set.remove(&viewer);
        Some(viewer)
    }
}

/// The events of a world. Each batch holds at most a day's; every event comes after all of the batch before.
#[derive(Debug)]
pub(crate) struct Events<'w> {
    world: &'w World,
    /// The next day to make.
    day: Day,
    ended: bool,
    fans: Vec<Fans>,
    /// Views of each video are this times what its weight and age say.
    scales: Vec<f64>,
    /// Made, but later than the first moment of the next day anywhere.
    waiting: Vec<Happening>,
    made: u64,
    prefix: String,
}

impl<'w> Events<'w> {
    pub(super) fn new(world: &'w World) -> Self {
        let mut dice = Dice::new(world.seed, 2);
        let fans = world.channels.iter().map(|channel| first_fans(world, channel, &mut dice)).collect();
        let day = world.days.first();
        let scales = scales(world);
        // Two worlds in one store do not take each other's events for repeats.
        let prefix = format!("d{:x}.{:x}", world.seed, world.days.last().number());
        Self { world, day, ended: false, fans, scales, waiting: Vec::new(), made: 0, prefix }
    }

    fn make_day(&mut self, day: Day) {
        let world = self.world;
        let mut dice = Dice::new(world.seed, 16 + u64::from(day.number()));
        let midnights: Vec<Timestamp> = world.places.iter().map(|place| place.zone.day_start(day)).collect();
        for (number, (clip, scale)) in world.clips.iter().zip(&self.scales).enumerate() {
            let (Some(channel), Some(fans)) = (world.channels.get(clip.channel), self.fans.get_mut(clip.channel))
            else {
                continue;
            };
            let mean = scale * interest(clip, day) + viral_views(world, clip, day);
            if mean > 0.0 {
                let moment = Moment { world, channel, clip, number, day, midnights: &midnights };
                moment.make(mean, fans, &mut dice, &mut self.waiting);
            }
        }
        self.leave(day, &midnights, &mut dice);
    }

    /// Followers who leave do so at any time of the day.
    fn leave(&mut self, day: Day, midnights: &[Timestamp], dice: &mut Dice) {
        for (at, fans) in self.fans.iter_mut().enumerate() {
            let count = (fans.list.len() as f64 * LEAVE_SHARE + dice.unit()) as usize;
            for _ in 0..count {
                let Some(viewer) = fans.leave(dice) else { break };
                let Some(person) = self.world.people.get(viewer) else { continue };
                let midnight = midnights.get(person.place).copied().unwrap_or(Timestamp::MIN);
                let ts = super::play::waking_time(midnight, day, dice);
                let kind = Kind::Unfollow;
                let source = Source::Profile;
                let traits = Traits { follower: Some(throng_model::Follower::Yes), ..person.traits };
                self.waiting.push(Happening { ts, kind, viewer, channel: at, clip: None, watch_ms: 0, source, traits });
            }
        }
    }

    /// Takes out what lies before a moment, in the order of time.
    fn take_before(&mut self, end: Timestamp) -> Vec<Event<'w>> {
        // The sort is stable, so equal moments keep the order in which they were made.
        self.waiting.sort_by_key(|happening| happening.ts);
        let count = self.waiting.partition_point(|happening| happening.ts < end);
        let rest = self.waiting.split_off(count);
        let ready = std::mem::replace(&mut self.waiting, rest);
        ready.into_iter().filter_map(|happening| self.event(&happening)).collect()
    }

    fn event(&mut self, happening: &Happening) -> Option<Event<'w>> {
        let world = self.world;
        self.made += 1;
        Some(Event {
            event_id: EventId::parse(format!("{}-{:x}", self.prefix, self.made)).ok()?,
            ts: happening.ts,
            kind: happening.kind,
            viewer: ViewerId::parse(world.people.get(happening.viewer)?.id.as_str()).ok()?,
            creator: CreatorId::parse(world.channels.get(happening.channel)?.id.as_str()).ok(),
            video: happening.clip.and_then(|clip| VideoId::parse(clip_id(world, clip)?).ok()),
            watch_ms: happening.watch_ms,
            source: happening.source,
            traits: happening.traits,
        })
    }
}

fn clip_id(world: &World, clip: usize) -> Option<&str> {
    world.clips.get(clip).map(|clip| clip.id.as_str())
}

impl<'w> Iterator for Events<'w> {
    type Item = Vec<Event<'w>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let day = self.day;
        self.make_day(day);
        if day == self.world.days.last() {
            self.ended = true;
            return Some(self.take_before(Timestamp::MAX));
        }
        self.day = day.next();
        // No zone is more than 14 hours ahead, so nothing of the next day can come before this.
        let next = i64::from(self.day.number()) * DAY_MS - 14 * 3_600_000;
        Some(self.take_before(Timestamp::from_millis(next).unwrap_or(Timestamp::MIN)))
    }
}

fn first_fans(world: &World, channel: &Channel, dice: &mut Dice) -> Fans {
    let mut fans = Fans::default();
    for _ in 0..channel.fans {
        fans.join(world.people.passer_by(channel, dice));
    }
    fans
}

/// How much a video is watched on a day, against others of its weight.
fn interest(clip: &Clip, day: Day) -> f64 {
    let age = i64::from(day.number()) - i64::from(clip.day.number());
    let week = WEEK.get(usize::from(day.weekday())).copied().unwrap_or(1.0);
    let fade = match age {
        ..0 => return 0.0,
        0 => 0.35,
        _ => {
            let slower = 1.0 + (age - 1) as f64 / 2.5;
            1.0 / (slower * slower) + 0.01
        }
    };
    clip.weight * fade * week
}

fn viral_views(world: &World, clip: &Clip, day: Day) -> f64 {
    if !clip.viral {
        return 0.0;
    }
    let age = usize::from(day.number()).checked_sub(usize::from(clip.day.number()));
    let share = age.and_then(|age| VIRAL.get(age)).copied().unwrap_or(0.0);
    share * f64::from(world.scale.views) * VIRAL_SHARE
}

/// Makes the views of each channel's videos come to the channel's views.
fn scales(world: &World) -> Vec<f64> {
    let mut sums = vec![0.0; world.channels.len()];
    let mut day = world.days.first();
    loop {
        for clip in &world.clips {
            if let Some(sum) = sums.get_mut(clip.channel) {
                *sum += interest(clip, day);
            }
        }
        if day == world.days.last() {
            break;
        }
        day = day.next();
    }
    let scale = |clip: &Clip| {
        let views = world.channels.get(clip.channel)?.views;
        sums.get(clip.channel).filter(|&&sum| sum > 0.0).map(|sum| views / sum)
    };
    world.clips.iter().map(|clip| scale(clip).unwrap_or(0.0)).collect()
}

//! One video on one day: who sees it, who watches it and for how long, and what they do then.

use throng_model::{Day, Follower, Kind, Source, Timestamp, Traits};

use super::World;
use super::channels::{Channel, Clip};
use super::days::Fans;
use super::dice::Dice;

/// Views by hour of the viewer's clock on workdays.
const WORKDAY: [f64; 24] = [
    1.4, 0.8, 0.5, 0.3, 0.3, 0.5, 1.2, 2.4, 2.6, 2.0, 1.9, 2.2, 3.2, 3.0, 2.3, 2.2, 2.6, 3.4, 4.2, 5.2, 6.2, 6.6, 5.2,
    2.8,
];
/// The same on Saturdays and Sundays: later, and all day long.
const WEEKEND: [f64; 24] = [
    2.2, 1.5, 0.9, 0.5, 0.3, 0.3, 0.6, 1.2, 2.2, 3.2, 3.8, 4.0, 4.2, 4.0, 3.8, 3.8, 3.9, 4.2, 4.6, 5.2, 5.8, 6.0, 5.0,
    3.4,
];
/// Impressions that nobody followed up, per view.
const PASSED_OVER: f64 = 0.46;

/// Something that happened, by numbers: an event before its texts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Happening {
    pub(super) ts: Timestamp,
    pub(super) kind: Kind,
    pub(super) viewer: u32,
    pub(super) channel: usize,
    pub(super) clip: Option<usize>,
    pub(super) watch_ms: u32,
    pub(super) source: Source,
    pub(super) traits: Traits,
}

/// A time of day at which people are awake, more or less.
pub(super) fn waking_time(midnight: Timestamp, day: Day, dice: &mut Dice) -> Timestamp {
    let hours = if day.weekday() < 5 { WORKDAY } else { WEEKEND };
    let hour = dice.weighted(hours.into_iter()) as i64;
    midnight.saturating_add_millis(hour * 3_600_000 + dice.below(3_600_000) as i64)
}

/// A video on a day.
pub(super) struct Moment<'m> {
    pub(super) world: &'m World,
    pub(super) channel: &'m Channel,
    pub(super) clip: &'m Clip,
    pub(super) number: usize,
    pub(super) day: Day,
    /// When the day begins, by place.
    pub(super) midnights: &'m [Timestamp],
}

impl Moment<'_> {
    /// Makes about `mean` views and all that belongs to them.
    pub(super) fn make(&self, mean: f64, fans: &mut Fans, dice: &mut Dice, out: &mut Vec<Happening>) {
        for _ in 0..dice.around(mean) {
            self.view(fans, dice, out);
        }
        for _ in 0..dice.around(mean * PASSED_OVER) {
            let Some(mut seen) = self.arrive(fans, dice) else { continue };
            seen.kind = Kind::Impression;
            out.push(seen);
        }
    }

    /// Somebody comes to the video: a view that is not measured yet.
    fn arrive(&self, fans: &Fans, dice: &mut Dice) -> Option<Happening> {
        let mut sources = self.channel.sources;
        if self.clip.viral {
            // What goes viral goes to strangers.
            sources[0] *= 4.0;
        }
        let source = Source::ALL.get(dice.weighted(sources.into_iter())).copied()?;
        let fan = if matches!(source, Source::Following | Source::Notification) { fans.one(dice) } else { None };
        let source = if fan.is_none() && source == Source::Following { Source::ForYou } else { source };
        let viewer = fan.unwrap_or_else(|| self.world.people.passer_by(self.channel, dice));
        let person = self.world.people.get(viewer)?;
        let midnight = self.midnights.get(person.place).copied()?;
        let ts = waking_time(midnight, self.day, dice);
        // On its first day a video is watched only once it is there: much of it within the first hours.
        let since = ts.millis() - self.clip.published_at.millis();
        let ts = if since > 0 { ts } else { self.clip.published_at.saturating_add_millis(2_000 + -since / 4) };
        let follower = if fans.has(viewer) { Follower::Yes } else { Follower::No };
        let traits = Traits { follower: Some(follower).filter(|_| !dice.chance(0.04)), ..person.traits };
        let (channel, clip) = (self.clip.channel, Some(self.number));
        Some(Happening { ts, kind: Kind::View, viewer, channel, clip, watch_ms: 0, source, traits })
    }

    fn view(&self, fans: &mut Fans, dice: &mut Dice, out: &mut Vec<Happening>) {
        let Some(arrival) = self.arrive(fans, dice) else { return };
        let listed = !matches!(arrival.source, Source::External | Source::Share | Source::Notification);
        if listed && dice.chance(0.92) {
            out.push(Happening { kind: Kind::Impression, ..arrival });
        }
        let (part, watch_ms) = self.watch(dice);
        let ts = arrival.ts.saturating_add_millis(300 + dice.below(1_500) as i64);
        let view = Happening { ts, watch_ms, ..arrival };
        self.react(&view, part, fans, dice, out);
        out.push(view);
    }

    /// How much of the video is watched: many swipe on at once, some stay to the end, some let it run again.
    fn watch(&self, dice: &mut Dice) -> (f64, u32) {
        let length = f64::from(self.clip.duration_ms);
        // Half of those who stay finish 20 seconds; few finish three minutes.
        let to_end = 0.75 / (1.0 + length / 20_000.0);
        let part = if dice.chance(0.24) {
            dice.between(0.0, 0.16)
        } else if !dice.chance(to_end) {
            let (one, other) = (dice.unit(), dice.unit());
            0.08 + 0.88 * one.min(other)
        } else if dice.chance(0.22) {
            1.0 + dice.unit() * dice.between(0.2, 3.0)
        } else {
            dice.between(0.97, 1.01)
        };
        (part, (part * length) as u32)
    }

    fn react(&self, view: &Happening, part: f64, fans: &mut Fans, dice: &mut Dice, out: &mut Vec<Happening>) {
        let keen = match part {
            ..0.16 => 0.12,
            0.16..0.9 => 0.9,
            _ => 1.7,
        };
        let watch_ms = i64::from(view.watch_ms);
        let mut act = |kind: Kind, chance: f64, from_ms: i64, within_ms: usize, dice: &mut Dice| {
            let acts = dice.chance(chance);
            if acts {
                let ts = view.ts.saturating_add_millis(from_ms + dice.below(within_ms) as i64);
                out.push(Happening { kind, ts, watch_ms: 0, ..*view });
            }
            acts
        };
        // People like while they watch, and change their minds afterwards.
        let (during, after) = (watch_ms / 2, watch_ms + 10_000);
        if act(Kind::Like, self.channel.likes * keen, during, 5_000, dice) {
            act(Kind::Unlike, 0.015, after, 3_600_000, dice);
        }
        act(Kind::Comment, 0.012 * keen, during, 60_000, dice);
        act(Kind::Share, 0.014 * keen, during, 20_000, dice);
        if act(Kind::Save, 0.022 * keen, during, 5_000, dice) {
            act(Kind::Unsave, 0.03, after, 7_200_000, dice);
        }
        let visits = dice.chance(0.022 * keen);
        let follows = dice.chance(if visits { 0.2 } else { 0.010 * keen });
        let later = view.ts.saturating_add_millis(watch_ms + 1_000 + dice.below(30_000) as i64);
        if visits {
            out.push(Happening { kind: Kind::ProfileView, ts: later, watch_ms: 0, clip: None, ..*view });
        }
        if follows && fans.join(view.viewer) {
            let ts = later.saturating_add_millis(3_000 + dice.below(20_000) as i64);
            let clip = view.clip.filter(|_| !visits);
            out.push(Happening { kind: Kind::Follow, ts, watch_ms: 0, clip, ..*view });
        }
    }
}

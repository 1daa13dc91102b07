//! The world is the same everywhere, and looks like a platform.

use std::collections::{BTreeMap, BTreeSet};

use throng_model::{AgeBand, Country, Device, Event, Follower, Gender, Kind, Region, Source, Traits};

use super::*;

fn small() -> World {
    World::new(SEED, Day::parse("2026-03-08").expect("day"), Scale::SMALL)
}

/// Every field of every row and event, hashed in order.
fn digest(world: &World) -> String {
    let mut hash = blake3::Hasher::new();
    let mut add = |fields: &[&str]| {
        hash.update(fields.join("\t").as_bytes());
        hash.update(b"\n");
    };
    for row in world.creators() {
        add(&[row.creator.as_str(), row.handle.as_ref().map_or("", Name::as_str), row.time_zone.name()]);
    }
    for row in world.videos() {
        let published = row.published_at.map(Timestamp::millis);
        let tags: Vec<&str> = row.hashtags.iter().map(Hashtag::as_str).collect();
        let [sound, language] = [&row.sound, &row.language].map(|name| name.as_ref().map_or("", Name::as_str));
        add(&[row.video.as_str(), row.creator.as_str(), &format!("{published:?} {:?}", row.duration_ms)]);
        add(&[&tags.join(","), sound, row.title.as_deref().unwrap_or_default(), language]);
    }
    for event in world.events().flatten() {
        let traits = &event.traits;
        add(&[event.event_id.as_str(), event.kind.name(), event.source.name(), event.viewer.as_str()]);
        add(&[event.creator.as_ref().map_or("", CreatorId::as_str), event.video.as_ref().map_or("", VideoId::as_str)]);
        add(&[&event.ts.millis().to_string(), &event.watch_ms.to_string()]);
        add(&[traits.country.map_or("", Country::code), &traits.region.map(Region::code).unwrap_or_default()]);
        add(&[traits.age.map_or("", AgeBand::name), traits.gender.map_or("", Gender::name)]);
        add(&[traits.device.map_or("", Device::name), traits.follower.map_or("", Follower::name)]);
    }
    hash.finalize().to_hex().to_string()
}

#[test]
fn a_seed_gives_the_same_world_for_ever() {
    assert_eq!(digest(&small()), "24695db1c282cee0192392adbfae042fe2e707de59969761d0bac6a95433b15d");
    let other = World::new(SEED + 1, Day::parse("2026-03-08").expect("day"), Scale::SMALL);
    assert_ne!(digest(&small()), digest(&other));
}

fn count<K: Ord>(keys: impl Iterator<Item = K>) -> BTreeMap<K, usize> {
    let mut counts = BTreeMap::new();
    keys.for_each(|key| *counts.entry(key).or_default() += 1);
    counts
}

fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

fn assert_within(what: &str, value: f64, low: f64, high: f64) {
    assert!((low..=high).contains(&value), "{what} is {value}, not within {low} to {high}");
}

/// What is true of a platform of any scale.
fn assert_believable(world: &World, events: &[Event<'_>]) {
    let kinds = count(events.iter().map(|event| event.kind));
    let of = |kind: Kind| kinds.get(&kind).copied().unwrap_or(0);
    let views = of(Kind::View);
    assert_within("views to plan", share(views, world.scale.views as usize), 0.9, 1.1);
    for (kind, low, high) in [
        (Kind::Impression, 1.1, 1.5),
        (Kind::Like, 0.05, 0.14),
        (Kind::Unlike, 0.000_3, 0.004),
        (Kind::Comment, 0.006, 0.02),
        (Kind::Share, 0.006, 0.025),
        (Kind::Save, 0.01, 0.04),
        (Kind::Unsave, 0.000_1, 0.003),
        (Kind::ProfileView, 0.01, 0.04),
        (Kind::Follow, 0.005, 0.02),
        (Kind::Unfollow, 0.000_5, 0.01),
    ] {
        assert_within(kind.name(), share(of(kind), views), low, high);
    }

    let by_creator = count(events.iter().filter(|event| event.kind == Kind::View).map(|event| event.creator.clone()));
    let mut sizes: Vec<usize> = by_creator.values().copied().collect();
    sizes.sort_unstable_by(|one, other| other.cmp(one));
    let half = sizes.len() / 2;
    assert_within("the head's share", share(sizes[0], views), 0.06, 0.3);
    assert!(sizes[0] > 5 * sizes[half], "the head is not far above the middle: {sizes:?}");
    for id in world.small_creators() {
        let audience: BTreeSet<_> = of_creator(events, id).map(|event| event.viewer.as_str()).collect();
        assert_within("a small creator's audience", audience.len() as f64, 1.0, 49.0);
    }

    let by_video =
        count(events.iter().filter(|event| event.kind == Kind::View).filter_map(|event| event.video.as_ref()));
    let most = by_video.iter().max_by_key(|(_, views)| **views).expect("a video");
    assert_eq!(most.0.as_str(), world.viral_video());
    assert_within("the viral video's share", share(*most.1, views), 0.05, 0.12);
}

fn of_creator<'e, 'w: 'e>(events: &'e [Event<'w>], id: &'e str) -> impl Iterator<Item = &'e Event<'w>> {
    events.iter().filter(move |event| event.creator.as_ref().is_some_and(|creator| creator.as_str() == id))
}

#[test]
fn a_small_world_is_believable() {
    let world = small();
    let events: Vec<_> = world.events().flatten().collect();
    assert_believable(&world, &events);

    assert!(events.is_sorted_by_key(|event| event.ts), "events come in the order of time");
    let ids: BTreeSet<_> = events.iter().map(|event| event.event_id.as_str()).collect();
    assert_eq!(ids.len(), events.len(), "every event has an id of its own");
    let end = Timestamp::parse("2026-03-09T12:00:00Z").expect("time");
    assert!(events.iter().all(|event| event.ts < end), "nothing happens after the last day");
}

#[test]
fn the_newest_world_lies_in_the_past_and_is_over_in_every_zone() {
    for (now, end) in [
        ("2026-03-10T00:00:00Z", "2026-03-08"),
        ("2026-03-10T11:59:59.999Z", "2026-03-08"),
        ("2026-03-10T12:00:00Z", "2026-03-09"),
        ("2026-03-10T23:59:59.999Z", "2026-03-09"),
        ("2026-03-01T12:00:00Z", "2026-02-28"),
    ] {
        let now = Timestamp::parse(now).expect("time");
        let end = Day::parse(end).expect("day");
        assert_eq!(World::newest_end(now), end, "{now}");
        for zone in ["Etc/GMT+12", "America/Los_Angeles", "UTC", "Pacific/Kiritimati"] {
            assert!(Zone::parse(zone).expect("zone").day_end(end) <= now, "{end} is not over in {zone} at {now}");
        }
    }
    let now = Timestamp::parse("2026-03-09T12:00:00Z").expect("time");
    let world = World::new(SEED, World::newest_end(now), Scale::SMALL);
    assert!(world.events().flatten().all(|event| event.ts < now), "the world holds events in the future");
}

#[test]
fn events_agree_with_the_catalogue() {
    let world = small();
    let videos: BTreeMap<_, _> = world.videos().into_iter().map(|row| (row.video.as_str().to_owned(), row)).collect();
    let creators = world.creators();
    assert_eq!(videos.len(), world.clips.len(), "video ids are unique");
    assert_eq!(creators.iter().map(|row| row.handle.clone()).collect::<BTreeSet<_>>().len(), creators.len());
    assert!(creators.iter().any(|row| row.time_zone.name() == "Asia/Kathmandu"));
    assert!(videos.values().any(|row| row.duration_ms.is_none()));
    let mut loops = 0;
    for event in world.events().flatten() {
        let Some(video) = &event.video else {
            assert!(!event.kind.needs_video());
            continue;
        };
        let row = videos.get(video.as_str()).expect("in the catalogue");
        assert_eq!(event.creator.as_ref(), Some(&row.creator));
        assert!(event.kind == Kind::Unfollow || Some(event.ts) > row.published_at, "seen before it was there");
        assert!(event.kind == Kind::View || event.watch_ms == 0);
        loops += usize::from(row.duration_ms.is_some_and(|length| event.watch_ms > length * 3 / 2));
    }
    assert!(loops > 50, "only {loops} views ran again");
}

#[test]
fn followers_follow_once_and_leave_after() {
    let world = small();
    let mut following = BTreeSet::new();
    let (mut joined, mut left) = (0, 0);
    for event in world.events().flatten() {
        let pair = (event.creator.clone(), event.viewer.as_str().to_owned());
        match event.kind {
            Kind::Follow => {
                joined += 1;
                assert!(following.insert(pair), "followed twice");
            }
            Kind::Unfollow => {
                left += 1;
                following.remove(&pair);
            }
            _ => {}
        }
        if event.source == Source::Following {
            assert_ne!(event.traits.follower, Some(Follower::No));
        }
    }
    assert!(joined > 20 && left > 5 && joined > left, "{joined} joined, {left} left");
}

#[test]
fn days_and_weeks_follow_the_viewers_clocks() {
    let world = small();
    let zones: BTreeMap<_, _> = world.people.all.iter().map(|person| (person.id.as_str(), person.place)).collect();
    let (mut hours, mut weekdays) = ([0_usize; 24], [0_usize; 7]);
    for event in world.events().flatten().filter(|event| event.kind == Kind::View) {
        let place = zones.get(event.viewer.as_str()).and_then(|&place| world.places.get(place)).expect("a place");
        hours[usize::from(place.zone.hour_of_day(event.ts))] += 1;
        weekdays[usize::from(place.zone.day_of(event.ts).weekday())] += 1;
    }
    assert!(hours[20] > 4 * hours[4], "evenings are not busier than nights: {hours:?}");
    assert!(weekdays[5] > weekdays[1] * 11 / 10, "weekends are not busier than Tuesdays: {weekdays:?}");
}

#[test]
fn audiences_differ_between_creators() {
    let world = small();
    let events: Vec<_> = world.events().flatten().collect();
    let shares = |has: fn(&Traits) -> bool| -> Vec<f64> {
        let of = |channel: &Channel| {
            let views = of_creator(&events, &channel.id).filter(|event| event.kind == Kind::View);
            let traits: Vec<_> = views.map(|event| event.traits).collect();
            share(traits.iter().filter(|traits| has(traits)).count(), traits.len())
        };
        world.channels.iter().take(12).map(of).collect()
    };
    let spread = |what: &str, shares: Vec<f64>| {
        let (low, high) =
            shares.iter().fold((1.0_f64, 0.0_f64), |(low, high), &share| (low.min(share), high.max(share)));
        assert!(high > low + 0.15, "{what} hardly differs: {shares:?}");
    };
    spread("country", shares(|traits| traits.country == Country::from_code("US")));
    spread("age", shares(|traits| traits.age <= Some(AgeBand::From18) && traits.age.is_some()));
    spread("gender", shares(|traits| traits.gender == Some(Gender::Female)));
}

#[test]
fn videos_fade_after_some_days() {
    let world = small();
    let ages: BTreeMap<_, _> =
        world.clips.iter().map(|clip| (clip.id.as_str(), (clip.day.number(), clip.viral))).collect();
    let views = world.events().flatten().filter(|event| event.kind == Kind::View).filter_map(|event| {
        let (day, viral) = *ages.get(event.video.as_ref()?.as_str())?;
        let at = (event.ts.millis() / DAY_MS) as u16;
        (!viral && day >= world.days.first().number()).then(|| at.saturating_sub(day))
    });
    let by_age = count(views);
    let of = |age: u16| by_age.get(&age).copied().unwrap_or(0);
    assert!(of(1) > 4 * of(7), "views hardly fade: {by_age:?}");
}

#[test]
fn the_newest_videos_of_several_channels_share_a_challenge() {
    let world = small();
    let joined: Vec<&Clip> = world.clips.iter().filter(|clip| clip.hashtags.contains(&"paperboats")).collect();
    let channels: BTreeSet<_> = joined.iter().map(|clip| clip.channel).collect();
    assert!(channels.len() >= 2, "{channels:?}");
    assert!(joined.iter().all(|clip| clip.day.saturating_add(4) > world.days.last()));
    assert!(joined.iter().all(|clip| clip.sound == joined[0].sound));
}

#[test]
fn the_demonstration_is_of_the_size_it_promises() {
    let world = World::new(SEED, Day::parse("2026-03-08").expect("day"), Scale::DEMO);
    let events: Vec<_> = world.events().flatten().collect();
    assert_within("events", events.len() as f64, 1_850_000.0, 2_150_000.0);
    let viewers: BTreeSet<_> = events.iter().map(|event| event.viewer.as_str()).collect();
    assert_within("viewers", viewers.len() as f64, 150_000.0, 200_000.0);
    assert_within("videos", world.clips.len() as f64, 3_000.0, 9_000.0);
    assert_within("creators", world.channels.len() as f64, 200.0, 999.0);
    assert_believable(&world, &events);
}

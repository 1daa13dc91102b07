//! One day's views by hashtag, by sound and by video, summed up from those by video.

use std::collections::HashMap;

use roaring::RoaringBitmap;
use throng_model::{Day, Hashtag, Name, Topic};
use throng_privacy::{Contribution, Raw, RawTopicDay};
use throng_store::{Catalogue, VideoEntry, VideoOrd};

use crate::cells::set_of_sorted;
use crate::topic_rows::{Cell, Found};

/// Views, and viewers up to as many as suffice.
#[derive(Default)]
struct Sum {
    views: u64,
    viewers: Vec<u32>,
    reaches: bool,
    /// The most viewers of any expired part, whoever they are; see `cells`.
    expired: u32,
}

impl Sum {
    fn add(&mut self, cells: &[(&Found, &Cell)], enough: usize) {
        for (found, cell) in cells {
            self.views += u64::from(cell.views);
            self.expired = self.expired.max(cell.expired);
            if !self.reaches {
                self.viewers.extend_from_slice(found.viewers(cell));
            }
        }
        if !self.reaches && self.viewers.len() >= enough {
            self.settle(enough);
            // What is left to find is few, so lists stay short.
            self.viewers.truncate(enough);
        }
    }

    fn settle(&mut self, enough: usize) {
        self.viewers.sort_unstable();
        self.viewers.dedup();
        self.reaches = self.viewers.len() >= enough;
    }

    fn seal(mut self, enough: usize) -> Raw<u64> {
        self.settle(enough);
        let mut viewers = set_of_sorted(self.viewers.iter().copied());
        if viewers.len() < self.expired.into() {
            viewers = RoaringBitmap::new();
            viewers.insert_range(0..self.expired);
        }
        Raw::seal(self.views, viewers)
    }
}

/// One day's sums.
pub(crate) struct Board<'c> {
    catalogue: &'c Catalogue,
    enough: usize,
    hashtags: HashMap<&'c Hashtag<'static>, Sum>,
    sounds: HashMap<&'c Name<'static>, Sum>,
    videos: Vec<(VideoOrd, Raw<u64>)>,
}

impl<'c> Board<'c> {
    pub(crate) fn new(catalogue: &'c Catalogue, enough: u64) -> Self {
        let enough = usize::try_from(enough).unwrap_or(usize::MAX);
        Self { catalogue, enough, hashtags: HashMap::new(), sounds: HashMap::new(), videos: Vec::new() }
    }

    /// Adds everything of a video.
    pub(crate) fn add(&mut self, video: VideoOrd, day: u32, cells: &[(&Found, &Cell)]) {
        let (Some(entry), Ok(day)) = (self.catalogue.video(video), Day::from_number(day.into())) else { return };
        let tags = entry.on(day).map_or(&[][..], |period| period.hashtags);
        let tags = tags.get(..Contribution::HASHTAGS_PER_VIDEO_MAX).unwrap_or(tags);
        for (place, tag) in tags.iter().enumerate() {
            // A row may name one twice.
            if !tags.iter().take(place).any(|before| before == tag) {
                self.hashtags.entry(tag).or_default().add(cells, self.enough);
            }
        }
        if let Some(sound) = &entry.sound {
            self.sounds.entry(sound).or_default().add(cells, self.enough);
        }
        if cells.iter().map(|(_, cell)| cell.views as usize).sum::<usize>() >= self.enough {
            let mut sum = Sum::default();
            sum.add(cells, self.enough);
            self.videos.push((video, sum.seal(self.enough)));
        }
    }

    /// The day's tables of hashtags, sounds and videos.
    pub(crate) fn finish(self, day: Day) -> [RawTopicDay; 3] {
        let (catalogue, enough) = (self.catalogue, self.enough);
        let large = |sum: &Sum| sum.views >= enough as u64;
        let hashtags = self.hashtags.into_iter().filter(|(_, sum)| large(sum));
        let hashtags = hashtags.map(|(tag, sum)| (Topic::Hashtag(tag.clone()), sum.seal(enough)));
        let sounds = self.sounds.into_iter().filter(|(_, sum)| large(sum));
        let sounds = sounds.map(|(sound, sum)| (Topic::Sound(sound.clone()), sum.seal(enough)));
        let id = |entry: &VideoEntry| Topic::Video(entry.id.clone());
        let videos = self.videos.into_iter().filter_map(|(video, raw)| Some((catalogue.video(video).map(id)?, raw)));
        [RawTopicDay::seal(day, hashtags), RawTopicDay::seal(day, sounds), RawTopicDay::seal(day, videos)]
    }
}

//! The public catalogue: which family of insights exists for which kind of entity, over which kinds of window.
//!
//! It is the whole of what can be asked about people (P3); `Query.privacy` prints it.

use throng_model::{Entity, Family, WindowKind};

/// What an entity is, without which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntityKind {
    /// A channel.
    Creator,
    /// A video.
    Video,
    /// A hashtag.
    Hashtag,
    /// The whole platform.
    Platform,
    /// What two channels have in common.
    Overlap,
}

impl EntityKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Creator, Self::Video, Self::Hashtag, Self::Platform, Self::Overlap];

    /// The kind of an entity.
    pub fn of(entity: &Entity) -> Self {
        match entity {
            Entity::Creator(_) => Self::Creator,
            Entity::Video(_) => Self::Video,
            Entity::Hashtag(_) => Self::Hashtag,
            Entity::Platform => Self::Platform,
            Entity::Overlap(_) => Self::Overlap,
        }
    }

    /// Whether the family is in the catalogue for this kind: new and returning viewers are a matter of channels, and of the
    /// platform and of what channels have in common only the reach is counted.
    pub fn has_family(self, family: Family) -> bool {
        match self {
            Self::Creator => true,
            Self::Video | Self::Hashtag => family != Family::Novelty,
            Self::Platform | Self::Overlap => family == Family::Reach,
        }
    }

    /// Whether the kind of window is: only videos have an age.
    pub fn has_window(self, kind: WindowKind) -> bool {
        self == Self::Video || kind.age_days().is_none()
    }
}

/// One family for one kind of entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogueEntry {
    /// The family.
    pub family: Family,
    /// The kind of entity.
    pub entity: EntityKind,
    /// The kinds of window that it exists for.
    pub windows: Vec<WindowKind>,
}

/// Every entry, by family.
pub fn catalogue() -> Vec<CatalogueEntry> {
    let mut entries = Vec::new();
    for family in Family::ALL {
        for entity in EntityKind::ALL.into_iter().filter(|kind| kind.has_family(family)) {
            let windows = WindowKind::ALL.into_iter().filter(|&kind| entity.has_window(kind)).collect();
            entries.push(CatalogueEntry { family, entity, windows });
        }
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_by_age_are_for_videos_and_novelty_for_channels() {
        for entry in catalogue() {
            let by_age = entry.windows.iter().any(|kind| kind.age_days().is_some());
            assert_eq!(by_age, entry.entity == EntityKind::Video, "{entry:?}");
            assert!(entry.family != Family::Novelty || entry.entity == EntityKind::Creator, "{entry:?}");
        }
        assert_eq!(catalogue().len(), 3 * 13 - 2 + 2);
    }
}

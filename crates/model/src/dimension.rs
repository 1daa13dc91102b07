//! Closed sets of the events' dimensions, each with a wire name and a stable one-byte code for the store.

use crate::question::Stage;

macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant = $code),+ }

        impl $name {
            /// Every value, in the order of the codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the wire.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// The value of this wire name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant),)+ _ => None }
            }

            /// The code in the store; never reused for another meaning.
            pub fn code(self) -> u8 {
                self as u8
            }

            /// The value of this code.
            pub fn from_code(code: u8) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

closed_set!(
    /// What happened.
    Kind {
        /// A video was shown in a list, before anyone chose it.
        Impression = 1 "impression",
        /// A video was played.
        View = 2 "view",
        /// A like was given.
        Like = 3 "like",
        /// A like was taken back.
        Unlike = 4 "unlike",
        /// A comment was written.
        Comment = 5 "comment",
        /// A video was passed on.
        Share = 6 "share",
        /// A video was kept for later.
        Save = 7 "save",
        /// A kept video was dropped.
        Unsave = 8 "unsave",
        /// The creator gained a follower.
        Follow = 9 "follow",
        /// The creator lost a follower.
        Unfollow = 10 "unfollow",
        /// The creator's profile was opened.
        ProfileView = 11 "profile_view",
    }
);

impl Kind {
    /// Whether an event of this kind must name a video.
    pub fn needs_video(self) -> bool {
        !matches!(self, Self::Follow | Self::Unfollow | Self::ProfileView)
    }

    /// How far a viewer went with an event of this kind.
    pub fn stage(self) -> Stage {
        match self {
            Self::View => Stage::Viewed,
            Self::Like | Self::Comment | Self::Share | Self::Save => Stage::Engaged,
            Self::Follow => Stage::Followed,
            _ => Stage::Saw,
        }
    }
}

closed_set!(
    /// Where the viewer came from.
    Source {
        /// The recommended feed.
        ForYou = 1 "for_you",
        /// The feed of followed creators.
        Following = 2 "following",
        /// The creator's profile.
        Profile = 3 "profile",
        /// A search.
        Search = 4 "search",
        /// A hashtag's page.
        Hashtag = 5 "hashtag",
        /// A sound's page.
        Sound = 6 "sound",
        /// Something another viewer passed on.
        Share = 7 "share",
        /// A notification.
        Notification = 8 "notification",
        /// A page outside the platform.
        External = 9 "external",
        /// Anything else, or not said.
        Other = 10 "other",
    }
);

closed_set!(
    /// Age band, in years. Code 0 in the store is "unknown".
    AgeBand {
        /// 13 to 17 years.
        From13 = 1 "13-17",
        /// 18 to 24 years.
        From18 = 2 "18-24",
        /// 25 to 34 years.
        From25 = 3 "25-34",
        /// 35 to 44 years.
        From35 = 4 "35-44",
        /// 45 to 54 years.
        From45 = 5 "45-54",
        /// 55 to 64 years.
        From55 = 6 "55-64",
        /// 65 years and more.
        From65 = 7 "65+",
    }
);

closed_set!(
    /// Gender as the viewer stated it. Code 0 in the store is "unknown".
    Gender {
        /// Female.
        Female = 1 "female",
        /// Male.
        Male = 2 "male",
        /// Any other.
        Other = 3 "other",
    }
);

closed_set!(
    /// Kind of device. Code 0 in the store is "unknown".
    Device {
        /// Android phone or tablet.
        Android = 1 "android",
        /// iPhone or iPad.
        Ios = 2 "ios",
        /// A browser.
        Web = 3 "web",
        /// Another tablet.
        Tablet = 4 "tablet",
        /// A television.
        Tv = 5 "tv",
        /// Any other.
        Other = 6 "other",
    }
);

closed_set!(
    /// Whether the viewer followed the creator at that moment. Code 0 in the store is "unknown".
    Follower {
        /// Did not follow.
        No = 1 "false",
        /// Followed.
        Yes = 2 "true",
    }
);

/// What an event says of the viewer at that moment; `None` is "unknown".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Traits {
    /// ISO 3166-1 country.
    pub country: Option<crate::Country>,
    /// ISO 3166-2 subdivision, always of `country`.
    pub region: Option<crate::Region>,
    /// Age band.
    pub age: Option<AgeBand>,
    /// Gender.
    pub gender: Option<Gender>,
    /// Device.
    pub device: Option<Device>,
    /// Follower status.
    pub follower: Option<Follower>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_round_trip() {
        for kind in Kind::ALL {
            assert_eq!(Kind::from_name(kind.name()), Some(*kind));
            assert_eq!(Kind::from_code(kind.code()), Some(*kind));
        }
        assert_eq!(Kind::from_name("VIEW"), None);
        assert_eq!(Kind::from_code(0), None);
    }
}

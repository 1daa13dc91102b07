//! What channels granted to partners: which of them, how much of each, and until when. A grant is to the key of a partner, or to the
//! subject of its JWTs; the newest one to the same partner for the same channel is the one that counts.

use serde::{Deserialize, Serialize};
use throng_graphql::Scopes;
use throng_model::{CreatorId, Timestamp};

use super::State;
use crate::authn::Caller;

/// A part of what there is about a channel and its videos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Scope {
    /// Public counters, their series, and the best videos by one.
    Counters,
    /// Audience insights.
    Insights,
}

impl Scope {
    /// The name in files and answers.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Counters => "counters",
            Self::Insights => "insights",
        }
    }

    fn bits(self) -> Scopes {
        match self {
            Self::Counters => Scopes::COUNTERS,
            Self::Insights => Scopes::INSIGHTS,
        }
    }
}

/// One channel's grant to one partner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Grant {
    pub(crate) to: Caller,
    pub(crate) creator: CreatorId<'static>,
    /// In order, each once.
    pub(crate) scopes: Vec<Scope>,
    pub(crate) given: Timestamp,
    /// The first instant at which it no longer holds.
    pub(crate) expires: Option<Timestamp>,
}

impl Grant {
    /// Whether it is about the same partner and channel.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        (&self.to, &self.creator) == (&other.to, &other.creator)
    }

    /// Its state at an instant.
    pub(crate) fn state(&self, now: Timestamp) -> State {
        if self.expires.is_some_and(|expires| expires <= now) { State::Expired } else { State::Active }
    }
}

/// What a partner may see at an instant, by channel, and the next instant at which that is less.
pub(crate) fn granted(
    to: &Caller,
    own: &[CreatorId<'static>],
    grants: &[Grant],
    now: Timestamp,
) -> (Vec<throng_graphql::Grant>, Option<Timestamp>) {
    let live = || grants.iter().filter(|grant| grant.to == *to && grant.state(now) == State::Active);
    // A key that names channels sees all of them for as long as it works.
    let own = own.iter().map(|creator| throng_graphql::Grant { creator: creator.clone(), scopes: Scopes::ALL });
    let given = live().map(|grant| throng_graphql::Grant {
        creator: grant.creator.clone(),
        scopes: grant.scopes.iter().fold(Scopes::FACTS, |all, scope| all | scope.bits()),
    });
    let mut seen: Vec<_> = own.chain(given).collect();
    seen.sort_by(|one, other| one.creator.cmp(&other.creator));
    seen.dedup_by(|later, first| {
        let same = later.creator == first.creator;
        if same {
            first.scopes = first.scopes | later.scopes;
        }
        same
    });
    (seen, live().filter_map(|grant| grant.expires).min())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn id(text: &str) -> CreatorId<'static> {
        CreatorId::parse(text.to_owned()).unwrap()
    }

    fn instant(millis: i64) -> Timestamp {
        Timestamp::from_millis(1_770_000_000_000 + millis).unwrap()
    }

    fn grant(to: &Caller, creator: &str, scopes: &[Scope], expires: Option<i64>) -> Grant {
        let (to, creator, scopes) = (to.clone(), id(creator), scopes.to_vec());
        Grant { to, creator, scopes, given: instant(0), expires: expires.map(instant) }
    }

    #[test]
    fn a_partner_sees_what_holds_at_the_instant_and_nothing_of_others() {
        // The same text as a key and as a subject are two partners.
        let (key, subject) = (Caller::Key("p".to_owned()), Caller::Subject("p".to_owned()));
        let grants = [
            grant(&key, "c", &[Scope::Counters], Some(10)),
            grant(&key, "b", &[Scope::Insights], Some(20)),
            grant(&subject, "a", &[Scope::Counters, Scope::Insights], None),
        ];
        let seen = |to: &Caller, own: &[CreatorId<'static>], now: i64| {
            let (seen, until) = granted(to, own, &grants, instant(now));
            let seen: Vec<_> =
                seen.into_iter().map(|grant| (grant.creator.as_str().to_owned(), grant.scopes)).collect();
            (seen, until)
        };
        let of = |id: &str, scopes| (id.to_owned(), scopes);
        let both = vec![of("b", Scopes::INSIGHTS), of("c", Scopes::COUNTERS)];
        assert_eq!(seen(&key, &[], 9), (both, Some(instant(10))));
        assert_eq!(seen(&key, &[], 10), (vec![of("b", Scopes::INSIGHTS)], Some(instant(20))));
        assert_eq!(seen(&key, &[], 20), (vec![], None));
        assert_eq!(seen(&subject, &[], 20), (vec![of("a", Scopes::ALL)], None));
        let own = seen(&key, &[id("d"), id("c")], 0).0;
        assert_eq!(own, [of("b", Scopes::INSIGHTS), of("c", Scopes::ALL), of("d", Scopes::ALL)]);
        assert_eq!(seen(&Caller::Key("q".to_owned()), &[], 0), (vec![], None));
    }
}

//! Attacks on the released surface: what can be learnt about one person from answers, played, measured, and held to the
//! bound that is promised.
//!
//! The attacker sees what a token sees: the gate's answers. It may know everything else, the target alone excepted. Each
//! attack is played over *made worlds*, in which every event is known, and where it makes sense over a *platform*: a copy
//! of a store, or the demonstration. Each has controls: the same attack against something known to be weak, which must
//! break it, because an attack that cannot succeed proves nothing.

mod averaging;
mod card;
mod dice;
mod differencing;
mod distinguisher;
mod equivalent;
mod erasure;
mod fakes;
mod layer;
mod likelihood;
mod planted;
mod platform;
mod polling;
mod question;
mod reconstruction;
mod scene;
mod side_channels;
mod small_cells;
mod stats;
mod suite;
mod totals;
mod tracker;
mod trends;
mod truth;
mod world;

pub use card::{Line, Scorecard, Verdict};
pub use suite::{Attack, AttackError, Options, Platform, run};

//! What trends: hashtags, sounds and videos whose views rose above what the week before let expect.
//!
//! Everything here is computed from released values and public facts of the catalogue, so no answer says more than those do;
//! `docs/PRIVACY.md` has the argument. The crate gets the gate, never an engine.

mod score;
mod trends;

pub use score::{BASELINE_DAYS, PEAK_DAYS};
pub use trends::{CREATORS_MIN, Trend, Trending, Trends};

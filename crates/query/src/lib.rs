//! The aggregation engine: plans a question, scans or combines what the store keeps, and seals the sums.
//!
//! It answers exactly, and only into [`throng_privacy::Raw`], which nobody outside the wall can open: what leaves this
//! crate besides are facts of the public catalogue. It judges nothing; floors, windows and noise are the gate's.

mod audience;
mod best;
mod block;
mod cells;
mod channel;
mod clock;
mod collect;
mod counters;
mod day_sums;
mod earliest;
mod engine;
mod facts;
mod frame;
mod frames;
mod frozen;
mod gather;
mod kept_sums;
mod look;
mod novelty;
mod overlap;
mod pass;
mod plan;
mod platform;
mod scope;
mod slots;
mod topic_rows;
mod topic_sums;
mod topics;
mod traits;
mod video_sums;

pub use engine::Engine;
pub use plan::Plan;

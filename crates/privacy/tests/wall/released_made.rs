//! Rejected: a released answer is made by the gate alone.
use throng_privacy::Released;

fn main() {
    let _ = Released { value: 1, policy_version: String::new(), settled: true };
}

//! One flipped byte anywhere is harmless or reported; it is never a wrong answer and never an empty store.

use std::path::{Path, PathBuf};
use std::time::Duration;

use throng_store::{AppendMode, Options, Store};

use crate::recovery::copy;
use crate::world::{START_MS, content, creator_row, event, options, video_row};

/// Bytes that are flipped per file, spread over it: a sample of each file.
const FLIPS_PER_FILE: usize = 8;

fn files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn a_flipped_byte_is_harmless_or_reported() {
    let scratch = tempfile::tempdir().unwrap();
    let whole = scratch.path().join("whole");
    let store = Store::open(&whole, &options()).unwrap();
    store.put_catalogue(vec![video_row("v1", "c", Some(20))], vec![creator_row("c", "Asia/Kathmandu")]).unwrap();
    for round in 0..5_u32 {
        let events: Vec<_> = (round * 100..round * 100 + 100)
            .map(|n| {
                let (id, video, viewer) = (format!("e{n}"), format!("v{}", n % 5), format!("p{}", n % 40));
                event(&id, n, Some("c"), Some(&video), &viewer, START_MS + i64::from(n) * 1_000_000)
            })
            .collect();
        store.append(&events, AppendMode::Normal).unwrap();
    }
    let expected = content(&store.snapshot());
    drop(store);
    let mut paths = vec![];
    files(&whole, &mut paths);
    paths.sort();
    assert!(paths.len() > 3);
    let (mut harmless, mut reported) = (0, 0);
    let damaged = scratch.path().join("damaged");
    std::fs::copy(scratch.path().join("whole.viewer-key"), scratch.path().join("damaged.viewer-key")).unwrap();
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let step = (bytes.len() / FLIPS_PER_FILE).max(1);
        for at in (0..bytes.len()).step_by(step) {
            let _ = std::fs::remove_dir_all(&damaged);
            copy(&whole, &damaged);
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x20;
            std::fs::write(damaged.join(path.strip_prefix(&whole).unwrap()), &flipped).unwrap();
            // The answer is right, or there is none.
            let read = std::panic::catch_unwind(|| {
                // Damaged files can make a flush hang; that is reported once the time is up.
                let impatient = Options { flush_timeout: Duration::from_secs(1), merges: false, ..options() };
                let store = Store::open(&damaged, &impatient).ok()?;
                store.verify().ok()?;
                Some(content(&store.snapshot()))
            });
            match read {
                Ok(Some(read)) => {
                    assert_eq!(read, expected, "byte {at} of {}", path.display());
                    harmless += 1;
                }
                Ok(None) => reported += 1,
                Err(_) => panic!("reading panicked: byte {at} of {}", path.display()),
            }
        }
    }
    assert!(reported > 20, "{reported} reported, {harmless} harmless");
}

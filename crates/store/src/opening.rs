//! Opening: what the first commit makes, what a later start checks, and what it cleans up.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::codec::DamageError;
use crate::generation::Acknowledged;
use crate::kv::{Batch, Kv, KvError};
use crate::object::{ReadError, item_key, number_of_key};
use crate::root::{Ordinals, ROOT_KEY, Retention, Root, Seals};
use crate::secret::{KeyError, Secret};
use crate::store::OpenError;

pub(crate) fn default_key_path(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    // A trailing slash would put the key inside.
    while name.to_string_lossy().ends_with('/') && name.len() > 1 {
        name = name.to_string_lossy().trim_end_matches('/').into();
    }
    name.push(".viewer-key");
    name.into()
}

pub(crate) fn read_root(kv: &Kv) -> Result<Option<Root>, ReadError> {
    let Some(value) = kv.get(ROOT_KEY)? else { return Ok(None) };
    Ok(Some(Root::open(&value)?))
}

pub(crate) fn new_root(secret: &Secret) -> Result<Root, OpenError> {
    let mut store_id = [0; 8];
    getrandom::fill(&mut store_id).map_err(|_| KeyError::NoRandom)?;
    Ok(Root {
        store_id,
        key_check: secret.check(),
        generation: 0,
        next_object: 0,
        viewers: 0,
        seals: Seals::default(),
        log: Vec::new(),
        segments: Vec::new(),
        catalogue: Vec::new(),
        fingerprints: Vec::new(),
        pseudonyms: Vec::new(),
        epochs: Vec::new(),
        rows_erased: 0,
        pending_erasures: Ordinals::default(),
        retention: Retention::default(),
        noise_key_check: None,
    })
}

pub(crate) fn commit_new(kv: &Kv, root: &Root) -> Result<(), KvError> {
    let mut batch = Batch::default();
    batch.put(ROOT_KEY, root.seal());
    kv.commit(batch)
}

pub(crate) fn check_generation(root: &Root, acknowledged: Option<Acknowledged>, path: &Path) -> Result<(), OpenError> {
    match acknowledged {
        Some(known) if known.store_id != root.store_id => Err(OpenError::Foreign { path: path.to_owned() }),
        Some(known) if known.generation > root.generation => {
            Err(OpenError::Stale { found: root.generation, acknowledged: known.generation })
        }
        _ => Ok(()),
    }
}

/// Removes objects that the root does not list: left by a crash between writing an object and listing it. On a full disk
/// they stay until the next opening, and their numbers are passed over.
pub(crate) fn remove_unlisted(kv: &Kv, mut root: Root) -> Result<Root, ReadError> {
    let listed: HashSet<u64> = root.objects().map(|object| object.number).collect();
    let mut from = vec![b'o'];
    while let Some(key) = kv.first_key_from(&from)? {
        let Some(number) = number_of_key(&key) else {
            return if key == ROOT_KEY { Ok(root) } else { Err(DamageError::Malformed("foreign key").into()) };
        };
        let Some(next) = number.checked_add(1) else { return Err(DamageError::Malformed("object number").into()) };
        from = item_key(next, 0);
        if listed.contains(&number) {
            continue;
        }
        let mut batch = Batch::default();
        let mut key = Some(key);
        while let Some(stray) = key.filter(|key| number_of_key(key) == Some(number)) {
            let mut after = stray.clone();
            after.push(0);
            batch.remove(stray);
            key = kv.first_key_from(&after)?;
        }
        match kv.commit(batch) {
            Err(KvError::DiskFull { .. }) => root.next_object = root.next_object.max(next),
            done => done?,
        }
    }
    Ok(root)
}

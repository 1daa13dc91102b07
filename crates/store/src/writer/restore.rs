//! The writer's state as the root and the log tell it, at opening.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, RwLock};

use super::{Shared, Writer};
use crate::catalogue::Catalogue;
use crate::garbage::Garbage;
use crate::generation::GenerationFile;
use crate::kv::Kv;
use crate::object::{Object, ObjectRef, ReadError};
use crate::parts::{Changes, Parts};
use crate::root::{LogRecord, Root};
use crate::run::Runs;
use crate::segment::Segment;
use crate::snapshot::Snapshot;
use crate::store::Options;
use crate::summary::Summary;
use crate::table::ChunkCache;
use crate::tail::Tail;

impl Writer {
    /// Reads everything that the root lists, bar columns and runs, which are read when needed.
    pub(crate) fn restore(
        kv: Arc<Kv>,
        cache: Arc<ChunkCache>,
        root: Root,
        generation_file: Option<GenerationFile>,
        options: &Options,
    ) -> Result<Self, ReadError> {
        let garbage = Arc::new(Garbage::default());
        let mut catalogue = Catalogue::default();
        let parts = Parts::restore(&kv, &root.catalogue, &mut catalogue)?;
        let segments = root
            .segments
            .iter()
            .map(|&object| Segment::open(&kv, &cache, &garbage, object).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let summaries = root.retention.summaries.iter();
        let summaries = summaries
            .map(|&object| Summary::open(&kv, &cache, &garbage, object).map(Arc::new))
            .collect::<Result<Vec<_>, _>>()?;
        let snapshot = Snapshot {
            kv: kv.clone(),
            generation: root.generation,
            settled_generation: root.generation,
            catalogue: Catalogue::default(),
            seals: root.seals,
            segments: Vec::new(),
            tail: Tail::default(),
            rows_from: None,
            summaries: Vec::new(),
            zone_epoch: 0,
            epochs: Arc::default(),
            pending_erasures: Arc::default(),
            noise_key_check: None,
        };
        let shared = Shared {
            cache,
            garbage,
            next_object: AtomicU64::new(root.next_object),
            snapshot: RwLock::new(Arc::new(snapshot)),
            merging: Mutex::new(()),
            is_bulk: AtomicBool::new(false),
        };
        let mut writer = Self {
            shared: Arc::new(shared),
            kv,
            generation_file,
            checkpoint_rows: options.checkpoint_rows,
            bare_bulk_rows: (options.merges && options.merges_late).then_some(options.bulk_rows),
            catalogue,
            segments,
            summaries,
            parts,
            tail: Tail::default(),
            tail_fingerprints: HashSet::default(),
            tail_viewers: HashMap::default(),
            viewer_cache: HashMap::default(),
            fingerprints: Runs::new(root.fingerprints.clone()),
            pseudonyms: Runs::new(root.pseudonyms.clone()),
            dirty: Changes::default(),
            zone_epoch: 0,
            settled_generation: root.generation,
            poisoned: false,
            spare_rows: Default::default(),
            root,
        };
        writer.replay()?;
        writer.publish();
        Ok(writer)
    }

    fn replay(&mut self) -> Result<(), ReadError> {
        let log = self.root.log.clone();
        // The root counts all viewers; those of the log come last.
        let mut records = Vec::with_capacity(log.len());
        for object in log {
            records.push(read_log(&self.kv, object)?);
        }
        let logged: usize = records.iter().map(|record| record.viewers.len()).sum();
        let mut viewer = self.root.viewers.saturating_sub(u32::try_from(logged).unwrap_or(u32::MAX));
        for record in records {
            for creator in record.creators {
                self.dirty.creators.insert(creator.ordinal);
                self.catalogue.restore_creator(creator)?;
            }
            for video in record.videos {
                self.dirty.videos.insert(video.ordinal);
                self.catalogue.restore_video(video)?;
            }
            if let Some(past) = record.past.0 {
                past.restore(&mut self.catalogue)?;
            }
            for pseudonym in record.viewers {
                self.tail_viewers.insert(pseudonym, viewer);
                viewer += 1;
            }
            self.tail_fingerprints.extend(record.fingerprints);
            let mut rows = Vec::new();
            for chunk in &record.rows {
                chunk.decode(&mut rows)?;
            }
            self.tail.push(rows);
        }
        Ok(())
    }
}

fn read_log(kv: &Kv, listed: ObjectRef) -> Result<LogRecord, ReadError> {
    let (object, ()) = Object::open::<()>(kv, listed)?;
    Ok(LogRecord::open(&object.read_only(kv)?, object.version)?)
}

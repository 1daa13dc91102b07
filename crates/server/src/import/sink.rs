//! Where decoded batches end: the store, the receipt, the file of errors.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use throng_model::{Event, Timestamp};
use throng_store::{AppendMode, Store, WriteError};

use super::Plan;
use super::days::BroughtDays;
use crate::config::Config;
use crate::failure::Failure;
use crate::ingest::{CatalogueRow, Decoded, Errors};
use crate::receipt::{Receipt, Rejected};

/// Takes batches in the order of their rows.
pub(super) struct Sink<'s> {
    store: &'s Store,
    mode: AppendMode,
    batch_events_max: usize,
    listed_max: usize,
    errors: Option<(PathBuf, BufWriter<File>)>,
    days: Option<BroughtDays>,
    /// The file that is being read, where several are.
    file: Option<String>,
    /// Of all files.
    pub(super) receipt: Receipt,
}

impl<'s> Sink<'s> {
    pub(super) fn new(store: &'s Store, config: &Config, plan: &Plan) -> Result<Self, Failure> {
        let create = |path: &PathBuf| match File::create(path) {
            Ok(file) => Ok((path.clone(), BufWriter::new(file))),
            Err(source) => Err(Failure::File { act: "create", path: path.clone(), source }),
        };
        Ok(Self {
            store,
            mode: if plan.reopen { AppendMode::Reopen } else { AppendMode::Normal },
            batch_events_max: config.ingest.batch_events_max,
            listed_max: config.ingest.rejected_listed_max,
            errors: plan.errors.as_ref().map(create).transpose()?,
            days: plan.seal.then(|| BroughtDays::new(Timestamp::now())),
            file: None,
            receipt: Receipt::default(),
        })
    }

    /// Turns to a file.
    pub(super) fn begin(&mut self, file: Option<String>) {
        self.file = file;
    }

    /// Stores a batch of events.
    pub(super) fn take_events(&mut self, mut decoded: Decoded<Event<'_>>) -> Result<(), Failure> {
        let mut taken = Receipt::of(&decoded);
        let (outcomes, failure) = self.append(&decoded.rows);
        if let Some(days) = &mut self.days {
            days.note(decoded.rows.get(..outcomes.len()).unwrap_or_default(), self.store);
        }
        taken.record(&outcomes, &mut decoded);
        // The first events of a batch that failed may be in the store, so the receipt counts them all the same.
        self.taken(&taken, &decoded.errors)?;
        failure.map_or(Ok(()), |failure| Err(failure.into()))
    }

    fn append(&self, events: &[Event<'_>]) -> (Vec<throng_store::Outcome>, Option<WriteError>) {
        let mut outcomes = Vec::with_capacity(events.len());
        for part in events.chunks(self.batch_events_max) {
            match self.store.append(part, self.mode) {
                Ok(part) => outcomes.extend(part),
                Err(error) => return (outcomes, Some(error)),
            }
        }
        (outcomes, None)
    }

    /// Stores a batch of catalogue rows.
    pub(super) fn take_catalogue(&mut self, mut decoded: Decoded<CatalogueRow>) -> Result<(), Failure> {
        let mut taken = Receipt::of(&decoded);
        taken.accepted = decoded.rows.len() as u64;
        taken.catalogue_rows = taken.accepted;
        let (videos, creators) = decoded.take_rows();
        self.store.put_catalogue(videos, creators)?;
        self.taken(&taken, &decoded.errors)
    }

    fn taken(&mut self, taken: &Receipt, errors: &Errors) -> Result<(), Failure> {
        self.receipt.absorb(taken);
        self.receipt.reject(errors, self.file.as_deref(), self.listed_max);
        self.write_errors(errors)
    }

    fn write_errors(&mut self, errors: &Errors) -> Result<(), Failure> {
        let Some((path, file)) = &mut self.errors else { return Ok(()) };
        for error in errors.listed() {
            let line = Rejected { file: self.file.clone(), error: error.clone() };
            serde_json::to_writer(&mut *file, &line)
                .map_err(io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|source| Failure::File { act: "write", path: path.clone(), source })?;
        }
        Ok(())
    }

    /// Closes the whole days that were brought, where that was asked for.
    pub(super) fn seal(&self) -> Result<(), Failure> {
        match &self.days {
            Some(days) => Ok(self.store.seal_creators(days.days(self.store))?),
            None => Ok(()),
        }
    }

    /// Writes out what is buffered.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        let Some((path, file)) = &mut self.errors else { return Ok(()) };
        file.flush().map_err(|source| Failure::File { act: "write", path: path.clone(), source })
    }
}

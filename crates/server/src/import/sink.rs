//! Where decoded batches end: the store, the receipt, the file of errors.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use throng_model::Timestamp;
use throng_store::{AppendMode, PreparedEvents, Store, Ticket};

use super::Plan;
use super::days::BroughtDays;
use crate::config::Config;
use crate::failure::Failure;
use crate::ingest::{CatalogueRow, Decoded, Errors};
use crate::receipt::{Receipt, Rejected};

/// Rejected rows of batches that wait: with more, they wait no longer, so that a file of garbage cannot fill the memory.
const ERRORS_WAITING_MAX: u64 = 65_536;

/// Takes batches in the order of their rows.
pub(super) struct Sink<'s> {
    store: &'s Store,
    mode: AppendMode,
    listed_max: usize,
    errors: Option<(PathBuf, BufWriter<File>)>,
    days: Option<BroughtDays>,
    /// The file that is being read, where several are.
    file: Option<String>,
    /// Batches that the store has and has not answered, oldest first.
    waiting: VecDeque<Waiting>,
    errors_waiting: u64,
    /// Of all files, and of what is on disk.
    pub(super) receipt: Receipt,
}

/// A batch without its rows.
struct Waiting {
    ticket: Ticket,
    file: Option<String>,
    decoded: Decoded<()>,
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
            listed_max: config.ingest.rejected_listed_max,
            errors: plan.errors.as_ref().map(create).transpose()?,
            days: plan.seal.then(|| BroughtDays::new(Timestamp::now())),
            file: None,
            waiting: VecDeque::new(),
            errors_waiting: 0,
            receipt: Receipt::default(),
        })
    }

    /// Turns to a file.
    pub(super) fn begin(&mut self, file: Option<String>) {
        self.file = file;
    }

    pub(super) fn store(&self) -> &'s Store {
        self.store
    }

    /// Hands a batch of events to the store, and counts those that it has answered.
    pub(super) fn take_events(&mut self, decoded: Decoded<()>, prepared: PreparedEvents) -> Result<(), Failure> {
        let unknown = self.days.as_mut().map(|days| days.note(&prepared, self.store)).unwrap_or_default();
        let ticket = self.store.append_bulk(prepared, self.mode)?;
        let mut stored = Ok(());
        if let Some(days) = self.days.as_mut().filter(|_| !unknown.is_empty()) {
            // Owners of some are known only once what came before is in the store.
            stored = self.store.checkpoint();
            days.note_videos(&unknown, self.store);
        }
        self.errors_waiting += decoded.errors.count();
        self.waiting.push_back(Waiting { ticket, file: self.file.clone(), decoded });
        stored?;
        if self.errors_waiting > ERRORS_WAITING_MAX { self.settle() } else { self.count_answered() }
    }

    /// Makes everything that was handed over durable, and counts it.
    pub(super) fn settle(&mut self) -> Result<(), Failure> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let stored = self.store.checkpoint();
        self.count_answered()?;
        Ok(stored?)
    }

    fn count_answered(&mut self) -> Result<(), Failure> {
        let mut failure = None;
        while let Some(answer) = self.waiting.front().and_then(|waiting| waiting.ticket.poll()) {
            let Some(Waiting { file, mut decoded, .. }) = self.waiting.pop_front() else { break };
            let mut taken = Receipt::of(&decoded);
            self.errors_waiting = self.errors_waiting.saturating_sub(decoded.errors.count());
            match answer {
                Ok(outcomes) => taken.record(&outcomes, &mut decoded),
                Err(error) => failure = failure.or(Some(error)),
            }
            self.taken(&taken, &decoded.errors, file.as_deref())?;
        }
        failure.map_or(Ok(()), |failure| Err(failure.into()))
    }

    /// Stores a batch of catalogue rows.
    pub(super) fn take_catalogue(&mut self, mut decoded: Decoded<CatalogueRow>) -> Result<(), Failure> {
        let mut taken = Receipt::of(&decoded);
        taken.accepted = decoded.rows.len() as u64;
        taken.catalogue_rows = taken.accepted;
        let (videos, creators) = decoded.take_rows();
        self.store.put_catalogue(videos, creators)?;
        let file = self.file.clone();
        self.taken(&taken, &decoded.errors, file.as_deref())
    }

    fn taken(&mut self, taken: &Receipt, errors: &Errors, file: Option<&str>) -> Result<(), Failure> {
        self.receipt.absorb(taken);
        self.receipt.reject(errors, file, self.listed_max);
        let Some((path, out)) = &mut self.errors else { return Ok(()) };
        for error in errors.listed() {
            let line = Rejected { file: file.map(str::to_owned), error: error.clone() };
            serde_json::to_writer(&mut *out, &line)
                .map_err(io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
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

    /// Makes what was handed over durable and counts it, and writes out what is buffered.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        let settled = self.settle();
        if let Some((path, file)) = &mut self.errors {
            file.flush().map_err(|source| Failure::File { act: "write", path: path.clone(), source })?;
        }
        settled
    }
}

//! Compressed input: told by its first bytes, never by its name, and unpacked within bounds.
//!
//! Files stream, so their memory is bounded by the limits on lines and batches, however much they unpack to. HTTP bodies
//! are unpacked whole, so what they may unpack to is a limit of its own.

use std::io::{self, BufRead, BufReader, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// Window of a zstd file, as a power of two: 128 MiB, what `zstd --long` writes by default.
const FILE_WINDOW_LOG_MAX: u32 = 27;
/// Window of a zstd body: 8 MiB, what RFC 8878 asks every decoder to take.
const BODY_WINDOW_LOG_MAX: u32 = 23;
const BUFFER_BYTES: usize = 128 << 10;

/// How the bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    /// Not at all.
    Plain,
    /// gzip, of one or more members.
    Gzip,
    /// zstd, of one or more frames.
    Zstd,
}

impl Compression {
    /// Tells it by the first four bytes.
    pub(super) fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            _ => Self::Plain,
        }
    }
}

/// How far a file has been read, and whether reading it (not unpacking it) failed.
#[derive(Debug, Default)]
pub(super) struct Meter {
    bytes: AtomicU64,
    failed: AtomicBool,
}

impl Meter {
    /// Compressed bytes read.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether an error of the unpacked stream came from below it.
    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }
}

struct Metered<R> {
    source: R,
    meter: Arc<Meter>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer);
        match &read {
            Ok(count) => {
                self.meter.bytes.fetch_add(*count as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => self.meter.failed.store(true, Ordering::Relaxed),
        }
        read
    }
}

/// The unpacked bytes of a file.
pub(super) type Unpacked = Box<dyn Read + Send>;

/// Opens a stream for unpacking.
pub(super) fn unpack(source: impl Read + Send + 'static) -> io::Result<(Unpacked, Arc<Meter>)> {
    let meter = Arc::new(Meter::default());
    let mut source = BufReader::with_capacity(BUFFER_BYTES, Metered { source, meter: Arc::clone(&meter) });
    let unpacked: Unpacked = match Compression::of(source.fill_buf()?) {
        Compression::Plain => Box::new(source),
        Compression::Gzip => Box::new(MultiGzDecoder::new(source)),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(source)?;
            decoder.window_log_max(FILE_WINDOW_LOG_MAX)?;
            Box::new(decoder)
        }
    };
    Ok((unpacked, meter))
}

/// A body in memory, unpacked as far as it is sound.
pub(super) struct UnpackedBody {
    pub(super) text: Vec<u8>,
    /// The compressed stream ends early or is damaged.
    pub(super) damaged: bool,
}

/// Unpacks a whole body; `None` where it unpacks to more than the limit.
pub(super) fn unpack_body(body: &[u8], compression: Compression, bytes_max: usize) -> Option<UnpackedBody> {
    let mut text = Vec::new();
    let limit = bytes_max as u64 + 1;
    let read = match compression {
        Compression::Plain => Cursor::new(body).take(limit).read_to_end(&mut text),
        Compression::Gzip => MultiGzDecoder::new(body).take(limit).read_to_end(&mut text),
        Compression::Zstd => zstd::stream::read::Decoder::with_buffer(body)
            .and_then(|mut decoder| decoder.window_log_max(BODY_WINDOW_LOG_MAX).map(|()| decoder))
            .and_then(|decoder| decoder.take(limit).read_to_end(&mut text)),
    };
    (text.len() <= bytes_max).then_some(UnpackedBody { text, damaged: read.is_err() })
}

//! The dashboard's files, embedded: what `dashboard/build.mjs` made of the sources in `dashboard`.
//!
//! A table from name to bytes and nothing else. Texts are there twice, as brotli and as gzip: browsers offer brotli over TLS and
//! to this machine only. Which one goes out, and for how long it may be kept, is left to the HTTP module.

/// The content security policy of the page and all that it loads. Charts are saved as pictures by way of `data:`; nothing else
/// is made of text, and the page talks to its own server alone.
pub(crate) const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none'";

/// One file, under each content encoding that it is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct File {
    /// Its name below `/`.
    pub(crate) name: &'static str,
    /// Value of `Content-Type`.
    pub(crate) content_type: &'static str,
    /// The bytes.
    pub(crate) body: Body,
}

/// The bytes as they go over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// Packed twice.
    Packed {
        /// With `Content-Encoding: br`.
        brotli: &'static [u8],
        /// With `Content-Encoding: gzip`.
        gzip: &'static [u8],
    },
    /// As it is: packing gains nothing.
    Plain(&'static [u8]),
}

/// The page itself.
const PAGE: &str = "index.html";
/// The one file below `/assets/` whose name stays when its bytes change.
const LICENSES: &str = "assets/LICENSES.txt";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const SVG: &str = "image/svg+xml";
const WOFF2: &str = "font/woff2";

static FILES: &[File] = &include!("../assets/dashboard/table.rs");

impl File {
    /// Whether the name carries a hash of the bytes, so that whoever has it need never ask again.
    pub(crate) fn is_immutable(&self) -> bool {
        self.name != PAGE && self.name != LICENSES
    }
}

/// The page.
pub(crate) fn page() -> Option<File> {
    find(PAGE)
}

/// What the page loads, by what follows `/assets/` in the address.
pub(crate) fn asset(name: &str) -> Option<File> {
    FILES.iter().find(|file| file.name.strip_prefix("assets/") == Some(name)).copied()
}

fn find(name: &str) -> Option<File> {
    FILES.iter().find(|file| file.name == name).copied()
}

const fn packed(name: &'static str, content_type: &'static str, brotli: &'static [u8], gzip: &'static [u8]) -> File {
    File { name, content_type, body: Body::Packed { brotli, gzip } }
}

const fn plain(name: &'static str, content_type: &'static str, body: &'static [u8]) -> File {
    File { name, content_type, body: Body::Plain(body) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn every_built_file_is_embedded() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/dashboard");
        let on_disk: BTreeSet<_> = std::fs::read_dir(folder.join("assets"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .map(|name| format!("assets/{}", name.trim_end_matches(".br").trim_end_matches(".gz")))
            .chain([PAGE.to_owned()])
            .collect();
        let embedded: BTreeSet<_> = FILES.iter().map(|file| file.name.to_owned()).collect();
        assert_eq!(embedded, on_disk);
        assert!(find(PAGE).is_some() && find(LICENSES).is_some() && FILES.len() > 5);
    }

    #[test]
    fn only_hashed_names_are_kept_for_ever() {
        for file in FILES.iter().filter(|file| file.is_immutable()) {
            let (stem, _) = file.name.rsplit_once('.').unwrap();
            let (_, hash) = stem.split_at(stem.len() - 9);
            assert!(hash.starts_with('-'), "{} carries no hash", file.name);
        }
        assert!(!find(PAGE).unwrap().is_immutable() && !find(LICENSES).unwrap().is_immutable());
    }

    #[test]
    fn what_was_not_built_is_not_found() {
        for name in ["", "index.html", "../index.html", "table.rs", "LICENSES.txt.br", "assets/LICENSES.txt"] {
            assert!(asset(name).is_none(), "{name}");
        }
        assert!(asset("LICENSES.txt").is_some());
    }
}

//! The playground's files, embedded: GraphiQL with everything it needs, so that the page works offline.
//!
//! A table from name to bytes and nothing else. The bytes are stored as they travel: gzip for all but two small or readable
//! files (`assets/playground/README.md` says why not brotli). Headers, caching and unpacking for clients without gzip are
//! left to the HTTP module; building the files is left to `crates/server/playground`.

/// The content security policy under which the playground was tested; send it with every file of it.
pub(crate) const PLAYGROUND_POLICY: &str = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    font-src 'self' data:; img-src 'self' data:; worker-src 'self' blob:; connect-src 'self' ws: wss:; \
    frame-ancestors 'none'; base-uri 'none'";

/// One embedded file, as it goes over the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asset {
    /// Value of `Content-Type`.
    pub(crate) content_type: &'static str,
    /// Value of `Content-Encoding`: `Some("gzip")`, or `None` where `body` is plain.
    pub(crate) encoding: Option<&'static str>,
    /// The bytes, compressed as `encoding` says.
    pub(crate) body: &'static [u8],
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const FONT: &str = "font/ttf";

/// The playground's file for what follows `/playground` in the address: empty for the page, else a plain file name.
///
/// A leading slash is allowed, so that both `app.js` and `/app.js` are found; a lone slash is not the page, whose links are
/// relative to `/playground`. Answers `None` for any name that the bundle does not have.
#[must_use]
pub(crate) fn playground(path: &str) -> Option<Asset> {
    if path.is_empty() {
        return Some(plain(HTML, include_bytes!("../assets/playground/index.html")));
    }
    Some(match path.strip_prefix('/').unwrap_or(path) {
        "app.js" => gzip(SCRIPT, include_bytes!("../assets/playground/app.js.gz")),
        "app.css" => gzip(CSS, include_bytes!("../assets/playground/app.css.gz")),
        "codicon.ttf" => gzip(FONT, include_bytes!("../assets/playground/codicon.ttf.gz")),
        "editor.worker.js" => gzip(SCRIPT, include_bytes!("../assets/playground/editor.worker.js.gz")),
        "graphql.worker.js" => gzip(SCRIPT, include_bytes!("../assets/playground/graphql.worker.js.gz")),
        "json.worker.js" => gzip(SCRIPT, include_bytes!("../assets/playground/json.worker.js.gz")),
        "LICENSES.txt" => plain(TEXT, include_bytes!("../assets/playground/LICENSES.txt")),
        _ => return None,
    })
}

fn plain(content_type: &'static str, body: &'static [u8]) -> Asset {
    Asset { content_type, encoding: None, body }
}

fn gzip(content_type: &'static str, body: &'static [u8]) -> Asset {
    Asset { content_type, encoding: Some("gzip"), body }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::playground;
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_built_file_is_embedded_as_it_is_on_disk() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/playground");
        let mut found = 0;
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let stored = path.file_name().unwrap().to_str().unwrap();
            let name = match stored {
                "README.md" => continue,
                "index.html" => "",
                other => other.strip_suffix(".gz").unwrap_or(other),
            };
            let asset = playground(name).unwrap_or_else(|| panic!("{stored} is not embedded"));
            assert_eq!(asset.encoding, stored.ends_with(".gz").then_some("gzip"), "{stored}");
            assert!(asset.body == fs::read(&path).unwrap(), "{stored} differs");
            found += 1;
        }
        assert_eq!(found, 8);
    }

    #[test]
    fn the_page_names_only_files_that_are_embedded() {
        let page = std::str::from_utf8(playground("").unwrap().body).unwrap();
        let names: Vec<_> = page.split("\"playground/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(names, ["app.css", "app.js"]);
        assert!(names.iter().all(|name| playground(name).is_some()));
    }

    #[test]
    fn other_names_are_not_found() {
        for name in ["/", "index.html", "README.md", "../lib.rs", "app.js.gz", "//app.js"] {
            assert!(playground(name).is_none(), "{name}");
        }
    }
}

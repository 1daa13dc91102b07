//! Lists of viewers that an operator hands over: every id is checked before anything is done with one.
//!
//! A complaint says where and which rule, and quotes nothing: terminals and logs keep what they are shown.

use throng_model::ViewerId;

/// How many complaints are told; the rest is only counted.
const TOLD_MAX: usize = 10;

/// Why a list was refused, whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("nothing was erased, because not all viewers are valid ids:{told}{}", more(*.count))]
pub(crate) struct BadViewers {
    /// A line each.
    told: String,
    count: usize,
}

fn more(count: usize) -> String {
    if count > TOLD_MAX { format!("\n  … and {} more", count - TOLD_MAX) } else { String::new() }
}

/// Viewers from several places.
#[derive(Debug, Default)]
pub(crate) struct Viewers {
    ids: Vec<ViewerId<'static>>,
    told: String,
    bad: usize,
}

impl Viewers {
    /// Adds one; `place` says where it stands.
    pub(crate) fn push(&mut self, text: &str, place: impl FnOnce() -> String) {
        match ViewerId::parse(text.to_owned()) {
            Ok(id) => self.ids.push(id),
            Err(error) => self.complain(&place(), &error.to_string()),
        }
    }

    /// Adds one a line. Empty lines are passed over; nothing else is trimmed, since ids may hold spaces.
    pub(crate) fn push_lines(&mut self, text: &[u8], name: &str) {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let place = || format!("{name}, line {number}");
            match std::str::from_utf8(line) {
                Ok("") => {}
                Ok(line) => self.push(line, place),
                Err(_) => self.complain(&place(), "must be UTF-8"),
            }
        }
    }

    /// All of them, or what is wrong.
    pub(crate) fn all(self) -> Result<Vec<ViewerId<'static>>, BadViewers> {
        if self.bad == 0 { Ok(self.ids) } else { Err(BadViewers { told: self.told, count: self.bad }) }
    }

    fn complain(&mut self, place: &str, rule: &str) {
        self.bad += 1;
        if self.bad <= TOLD_MAX {
            self.told.push_str(&format!("\n  {place}: {rule}"));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Result<Vec<String>, String> {
        let mut viewers = Viewers::default();
        viewers.push_lines(text, "ids.txt");
        let ids = viewers.all().map_err(|error| error.to_string())?;
        Ok(ids.iter().map(|id| id.as_str().to_owned()).collect())
    }

    #[test]
    fn a_file_is_read_line_by_line_whoever_wrote_it() {
        let expected = ["u1", " two words ", "u3"];
        assert_eq!(read(b"u1\n two words \nu3").unwrap(), expected);
        assert_eq!(read(b"\xef\xbb\xbfu1\r\n two words \r\n\r\nu3\r\n").unwrap(), expected);
        assert!(read(b"").unwrap().is_empty());
    }

    #[test]
    fn one_bad_line_refuses_all_and_quotes_nothing() {
        let refused = read(b"u1\n\tsecret\n\xff\n").unwrap_err();
        assert!(refused.contains("ids.txt, line 2: must not hold control characters"), "{refused}");
        assert!(refused.contains("ids.txt, line 3: must be UTF-8") && !refused.contains("secret"), "{refused}");
        let long = vec![b"\t".as_slice(); 25].join(&b'\n');
        assert!(read(&long).unwrap_err().ends_with("line 10: must not hold control characters\n  … and 15 more"));
    }
}

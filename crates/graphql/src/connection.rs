//! Relay connections over public facts. Pages are cut by ids alone, never by a hidden value.

use async_graphql::{OutputType, Result, SimpleObject};

use crate::creator::Creator;
use crate::error::bad_input;
use crate::video::Video;

/// One page of a list.
#[derive(Debug, SimpleObject)]
#[graphql(concrete(name = "CreatorConnection", params(Creator)), concrete(name = "VideoConnection", params(Video)))]
pub(crate) struct Connection<T: OutputType>
where
    Edge<T>: OutputType,
{
    /// The page's elements with their cursors.
    edges: Vec<Edge<T>>,
    /// Where the page stands in the list.
    page_info: PageInfo,
}

/// One element of a page.
#[derive(Debug, SimpleObject)]
#[graphql(concrete(name = "CreatorEdge", params(Creator)), concrete(name = "VideoEdge", params(Video)))]
pub(crate) struct Edge<T: OutputType> {
    /// The element's place in the list, opaque: pass it as `after` to go on behind it.
    cursor: String,
    /// The element.
    node: T,
}

/// Where a page stands in its list.
#[derive(Debug, SimpleObject)]
pub(crate) struct PageInfo {
    /// Whether there is an element behind this page.
    has_next_page: bool,
    /// Whether this page was asked for with `after`.
    has_previous_page: bool,
    /// Cursor of the page's first element; null where the page is empty.
    start_cursor: Option<String>,
    /// Cursor of the page's last element; null where the page is empty.
    end_cursor: Option<String>,
}

/// A page of at most `size` elements, given with their ids; one more shows that there is a next page.
pub(crate) fn connection<T: OutputType>(
    nodes: impl Iterator<Item = (String, T)>,
    size: usize,
    has_previous_page: bool,
) -> Connection<T>
where
    Edge<T>: OutputType,
{
    let mut edges: Vec<_> = nodes.take(size + 1).map(|(id, node)| Edge { cursor: cursor(&id), node }).collect();
    let has_next_page = edges.len() > size;
    edges.truncate(size);
    let place = |edge: Option<&Edge<T>>| edge.map(|edge| edge.cursor.clone());
    let (start_cursor, end_cursor) = (place(edges.first()), place(edges.last()));
    Connection { page_info: PageInfo { has_next_page, has_previous_page, start_cursor, end_cursor }, edges }
}

/// Hexadecimal of the id behind a version digit: opaque, and safe in any transport.
fn cursor(id: &str) -> String {
    let mut text = String::with_capacity(1 + id.len() * 2);
    text.push('1');
    for byte in id.bytes() {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    text
}

/// The id that a cursor names.
pub(crate) fn cursor_id<T, E>(after: Option<&str>, parse: impl Fn(String) -> Result<T, E>) -> Result<Option<T>> {
    let decode = |text: &str| {
        let digits: Option<Vec<u8>> =
            text.strip_prefix('1')?.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
        let bytes = digits?
            .chunks(2)
            .map(|pair| match pair {
                [high, low] => Some(high << 4 | low),
                _ => None,
            })
            .collect::<Option<Vec<u8>>>()?;
        parse(String::from_utf8(bytes).ok()?).ok()
    };
    match after {
        None => Ok(None),
        Some(text) => decode(text).map(Some).ok_or_else(|| bad_input("after is no cursor of this list")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_round_trip_and_others_are_refused() {
        let id = |text: String| if text.is_empty() { Err(()) } else { Ok(text) };
        assert_eq!(cursor_id(Some(&cursor("vidéo/7")), id).expect("cursor").as_deref(), Some("vidéo/7"));
        assert_eq!(cursor_id(None, id).expect("none"), None);
        for bad in ["", "1", "2ff", "1f", "1fg", "1ff", "é"] {
            assert!(cursor_id(Some(bad), id).is_err(), "{bad}");
        }
    }
}

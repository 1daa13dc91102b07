//! Relay connections over public facts. Pages are cut by ids and days of publication, never by a hidden value.

use async_graphql::{OutputType, Result, SimpleObject};
use throng_model::{VideoFacts, VideoId, VideoOrder};

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

/// A page of at most `size` elements, given with their cursors; one more shows that there is a next page.
pub(crate) fn connection<T: OutputType>(
    nodes: impl Iterator<Item = (String, T)>,
    size: usize,
    has_previous_page: bool,
) -> Connection<T>
where
    Edge<T>: OutputType,
{
    let mut edges: Vec<_> = nodes.take(size + 1).map(|(cursor, node)| Edge { cursor, node }).collect();
    let has_next_page = edges.len() > size;
    edges.truncate(size);
    let place = |edge: Option<&Edge<T>>| edge.map(|edge| edge.cursor.clone());
    let (start_cursor, end_cursor) = (place(edges.first()), place(edges.last()));
    Connection { page_info: PageInfo { has_next_page, has_previous_page, start_cursor, end_cursor }, edges }
}

/// What each list's cursors begin with, so that none is taken for one of another list.
const BY_ID: char = '1';
const NEWEST: char = '2';
const OLDEST: char = '3';

/// The place of an element in a list by id.
pub(crate) fn cursor(id: &str) -> String {
    encode(BY_ID, id.bytes())
}

/// The place of a video in a list by age: its rank and its id, so that it stays where it is whatever comes and goes.
pub(crate) fn age_cursor(order: VideoOrder, video: &VideoFacts) -> String {
    let rank = order.rank(video.published_at).to_be_bytes();
    encode(list_of(order), rank.into_iter().chain(video.id.as_str().bytes()))
}

fn list_of(order: VideoOrder) -> char {
    match order {
        VideoOrder::Newest => NEWEST,
        VideoOrder::Oldest => OLDEST,
    }
}

/// The id that a cursor names.
pub(crate) fn cursor_id<T, E>(after: Option<&str>, parse: impl Fn(String) -> Result<T, E>) -> Result<Option<T>> {
    let id = |bytes: Vec<u8>| parse(String::from_utf8(bytes).ok()?).ok();
    place(after, |text| decode(BY_ID, text).and_then(id))
}

/// The place that a cursor of a list by age names.
pub(crate) fn cursor_age(order: VideoOrder, after: Option<&str>) -> Result<Option<(i64, VideoId<'static>)>> {
    place(after, |text| {
        let bytes = decode(list_of(order), text)?;
        let (rank, id) = bytes.split_first_chunk()?;
        let id = VideoId::parse(String::from_utf8(id.to_vec()).ok()?).ok()?;
        Some((i64::from_be_bytes(*rank), id))
    })
}

fn place<T>(after: Option<&str>, decode: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
    match after {
        None => Ok(None),
        Some(text) => decode(text).map(Some).ok_or_else(|| bad_input("after is no cursor of this list")),
    }
}

/// Hexadecimal behind the list's digit: opaque, and safe in any transport.
fn encode(list: char, bytes: impl Iterator<Item = u8>) -> String {
    let mut text = String::from(list);
    for byte in bytes {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    text
}

fn decode(list: char, text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        text.strip_prefix(list)?.chars().map(|digit| u8::try_from(digit.to_digit(16)?).ok()).collect();
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(high << 4 | low),
        _ => None,
    };
    digits?.chunks(2).map(pair).collect()
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

    #[test]
    fn a_cursor_is_good_for_its_own_order_alone() {
        let text = encode(NEWEST, (-7_i64).to_be_bytes().into_iter().chain("v".bytes()));
        let place = cursor_age(VideoOrder::Newest, Some(&text)).expect("cursor").expect("place");
        assert_eq!((place.0, place.1.as_str()), (-7, "v"));
        assert!(cursor_age(VideoOrder::Oldest, Some(&text)).is_err());
        assert!(cursor_id(Some(&text), VideoId::parse).is_err());
        for bad in ["", "2", "200", "2ffffffffffffffff", "2fffffffffffffffff", &cursor("v")] {
            assert!(cursor_age(VideoOrder::Newest, Some(bad)).is_err(), "{bad}");
        }
    }
}

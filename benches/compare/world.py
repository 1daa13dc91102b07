"""The platform that is compared: the same events for the same size on every machine, whatever the library's version.

Each value is a hash of the event's number (SplitMix64; Steele, Lea and Flood 2014), worked on with correctly rounded
arithmetic only, so chunks can be made in any order. One creator draws a tenth of all events, the others follow Zipf's law.
Timestamps are all different, so a viewer's last view is one view and every engine means the same by it.
"""

import pathlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

START_MS = 1_767_225_600_000  # 2026-01-01T00:00Z
DAYS = 90
DAY_MS = 86_400_000
CREATORS = 10_000
HEAD, MIDDLE, SMALL = "c0", "c100", "c5000"
# By channel the one that its overlap is asked with.
BESIDE = {HEAD: "c1", MIDDLE: HEAD, SMALL: HEAD}
HEAD_SHARE = 0.1
HASHTAGS = 3_000
CHUNK = 1_000_000

KINDS = ["impression", "view", "like", "unlike", "comment", "share", "save", "unsave", "follow", "unfollow", "profile_view"]
KIND_WEIGHTS = [40, 45, 8, 0.5, 1.5, 1.5, 1, 0.2, 0.8, 0.2, 1.3]
WITHOUT_VIDEO = ["follow", "unfollow", "profile_view"]
SOURCES = ["for_you", "following", "profile", "search", "hashtag", "sound", "share", "notification", "external", "other"]
SOURCE_WEIGHTS = [55, 15, 8, 7, 4, 3, 3, 2, 2, 1]
COUNTRIES = ["US", "IN", "BR", "ID", "MX", "DE", "GB", "FR", "JP", "TR", "IT", "ES", "PL", "NL", "CA", "AU", "AR", "CO", "SE", "AT"]
AGES = ["13-17", "18-24", "25-34", "35-44", "45-54", "55-64", "65+"]
AGE_WEIGHTS = [12, 34, 26, 14, 8, 4, 2]
GENDERS = ["female", "male", "other"]
GENDER_WEIGHTS = [48, 49, 3]
DEVICES = ["android", "ios", "web", "tablet", "tv", "other"]
DEVICE_WEIGHTS = [48, 38, 7, 5, 1, 1]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_HEX = np.array([f"{byte:02x}" for byte in range(256)], dtype="S2")


def mixed(numbers, salt):
    """SplitMix64's output for these states: one to one, so different numbers stay different."""
    z = (numbers + np.uint64(salt * 0xD1B54A32D192ED03 % 2**64)) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniform(numbers, salt):
    return (mixed(numbers, salt) >> np.uint64(11)).astype(np.float64) / 2.0**53


def squared(u):
    """More of the small numbers; a plain product, since powers differ between libraries by a last bit."""
    return u * u


def chosen(numbers, salt, weights):
    bounds = np.cumsum(np.asarray(weights, dtype=np.float64))
    return np.searchsorted(bounds / bounds[-1], uniform(numbers, salt), side="right").astype(np.int8)


def creator_weights():
    tail = 1.0 / np.arange(1, CREATORS)
    return np.concatenate([[HEAD_SHARE], (1 - HEAD_SHARE) * tail / np.cumsum(tail)[-1]])


def videos_of(n):
    """How many videos each creator has: one for 200 expected events."""
    return np.clip(creator_weights() * n / 200, 3, 1_000).astype(np.int64)


def named(prefix, numbers):
    return pa.array(np.char.add(prefix, numbers.astype("U")))


def words(codes, names, known=None):
    """A text column written once per word; where `known` is false the field is missing."""
    return pa.DictionaryArray.from_arrays(pa.array(codes, mask=None if known is None else ~known), pa.array(names))


def event_ids(i):
    digits = _HEX[mixed(i, 1).astype(">u8").view(np.uint8)].view("S16")
    return pa.array(digits).cast(pa.string())


def lengths(first_video, video):
    """Milliseconds by video, 5 to 60 s."""
    return 5_000 + (uniform((first_video + video).astype(np.uint64), 20) * 55_000).astype(np.int64)


def events(first, count, n):
    """Events `first` … `first + count` of `n`, as a table."""
    i = np.arange(first, first + count, dtype=np.uint64)
    ts = START_MS + (i.astype(np.float64) * (DAYS * DAY_MS / n)).astype(np.int64)
    creator = chosen_creator(i)
    counts = videos_of(n)
    starts = np.concatenate([[0], np.cumsum(counts)])
    video = (squared(uniform(i, 4)) * counts[creator]).astype(np.int64)
    viewer = (squared(uniform(i, 5)) * max(n // 20, 1_000)).astype(np.uint64)
    kind = chosen(i, 2, KIND_WEIGHTS)
    view = kind == KINDS.index("view")
    with_video = ~np.isin(kind, [KINDS.index(name) for name in WITHOUT_VIDEO])
    # Most views end early, some loop.
    watch = (lengths(starts[creator], video) * np.minimum(1.3, 0.05 + 1.6 * squared(uniform(i, 6)))).astype(np.int64)
    # One viewer in seventy events is on a journey, one in eight on another device than its own.
    country = np.where(uniform(i, 7) < 0.015, uniform(i, 8), uniform(viewer, 9))
    country = (squared(country) * len(COUNTRIES)).astype(np.int8)
    device = np.where(uniform(i, 10) < 0.12, chosen(i, 11, DEVICE_WEIGHTS), chosen(viewer, 12, DEVICE_WEIGHTS))
    return pa.table({
        "event_id": event_ids(i),
        "ts": ts,
        "kind": words(kind, KINDS),
        "viewer": named("u", viewer),
        "creator": named("c", creator),
        "video": pa.array(np.char.add("v", (starts[creator] + video).astype("U")), mask=~with_video),
        "watch_ms": pa.array(watch, mask=~view),
        "source": words(chosen(i, 13, SOURCE_WEIGHTS), SOURCES),
        "country": words(country, COUNTRIES, uniform(viewer, 14) < 0.97),
        "age": words(chosen(viewer, 15, AGE_WEIGHTS), AGES, uniform(viewer, 16) < 0.9),
        "gender": words(chosen(viewer, 17, GENDER_WEIGHTS), GENDERS, uniform(viewer, 18) < 0.85),
        "device": words(device, DEVICES),
        "follower": uniform(i, 19) < 0.12,
    })


def chosen_creator(i):
    bounds = np.cumsum(creator_weights())
    return np.searchsorted(bounds / bounds[-1], uniform(i, 3), side="right").astype(np.int64)


def hashtags(video):
    """None to three different ones for each video, by Zipf's law."""
    tail = np.cumsum(1.0 / np.arange(1, HASHTAGS + 1))
    places = range(3)
    tags = np.stack([np.searchsorted(tail / tail[-1], uniform(video, 22 + place), side="right") for place in places], axis=1)
    count = (uniform(video, 25) * 4).astype(np.int64)
    carried = np.stack([(place < count) & (tags[:, :place] != tags[:, [place]]).all(axis=1) for place in places], axis=1)
    ends = np.concatenate([[0], np.cumsum(carried.sum(axis=1))])
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), named("t", tags[carried]))


def catalogue(n):
    """Every video with its creator and its hashtags; the length of one in ten is not known."""
    counts = videos_of(n)
    video = np.arange(counts.sum())
    creator = np.repeat(np.arange(CREATORS), counts)
    unknown = uniform(video.astype(np.uint64), 21) < 0.1
    length = pa.array(lengths(0, video), mask=unknown)
    tags = hashtags(video.astype(np.uint64))
    return pa.table({"video": named("v", video), "creator": named("c", creator), "duration_ms": length, "hashtags": tags})


def agreements():
    """Which channels share their overlap: both of each pair."""
    pairs = [pair for one, other in BESIDE.items() for pair in ((one, other), (other, one))]
    creators = sorted({creator for creator, _ in pairs})
    return pa.table({"creator": creators, "overlap_with": [[other for one, other in pairs if one == creator] for creator in creators]})


def make(folder, n):
    """The files of a platform with `n` events: events, videos, and what channels agree to. Made once."""
    creators = pathlib.Path(folder, "creators.parquet")
    if not creators.exists():
        pq.write_table(agreements(), creators)
    # Named by what they hold: folders are kept from one version of this world to the next.
    videos, file = pathlib.Path(folder, f"videos-{n}-hashtags.parquet"), pathlib.Path(folder, f"events-{n}.parquet")
    if not videos.exists():
        pq.write_table(catalogue(n), videos)
    if not file.exists():
        partial = file.with_suffix(".partial")
        with pq.ParquetWriter(partial, events(0, 1, n).schema, compression="zstd") as writer:
            for first in range(0, n, CHUNK):
                writer.write_table(events(first, min(CHUNK, n - first), n))
        partial.rename(file)
    return file, videos, creators

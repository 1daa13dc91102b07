//! Values that no one outside this crate can read.
//!
//! The engine below the wall seals each sum together with the set of viewers behind it. The set is counted here, never
//! passed as a number, so a wrong count cannot be claimed. Nothing here is `Debug`, `Clone`, `Serialize` or `Deref`.

use roaring::RoaringBitmap;

/// A value and the audience behind it. Only this crate opens it.
pub struct Raw<T> {
    pub(crate) value: T,
    pub(crate) audience: RoaringBitmap,
}

impl<T> Raw<T> {
    /// Seals a value with the ordinals of the viewers behind it.
    pub fn seal(value: T, audience: RoaringBitmap) -> Self {
        Self { value, audience }
    }
}

/// A whole table: the gate judges rows and total together, because a suppressed row leaks through a total.
pub struct RawTable<K, T> {
    pub(crate) total: Raw<T>,
    pub(crate) rows: Vec<(K, Raw<T>)>,
}

impl<K, T> RawTable<K, T> {
    /// Seals a table. `rows` hold each key at most once; rows that are not given are empty.
    pub fn seal(total: Raw<T>, rows: Vec<(K, Raw<T>)>) -> Self {
        Self { total, rows }
    }
}

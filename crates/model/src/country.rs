//! Countries (ISO 3166-1 alpha-2) and their subdivisions (ISO 3166-2).
//!
//! A country is an index into the sorted list of the 249 assigned codes, so it fits one byte of a column. Regions are
//! checked by form and country, not against the standard's list, which changes every year.

use std::fmt;

/// An assigned ISO 3166-1 country.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country(u8);

impl Country {
    /// Number of assigned codes.
    pub const COUNT: usize = CODES.len();

    /// The country of a two-letter code in upper case.
    pub fn from_code(code: &str) -> Option<Self> {
        let code: [u8; 2] = code.as_bytes().try_into().ok()?;
        let index = CODES.binary_search(&code).ok()?;
        u8::try_from(index + 1).ok().map(Self)
    }

    /// Every country, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        (1..=Self::COUNT).filter_map(|n| u8::try_from(n).ok().map(Self))
    }

    /// 1 to 249; 0 is left for "unknown".
    pub fn ordinal(self) -> u8 {
        self.0
    }

    /// The country of an ordinal, `None` for 0 or one past the list.
    pub fn from_ordinal(ordinal: u8) -> Option<Self> {
        (1..=Self::COUNT).contains(&usize::from(ordinal)).then_some(Self(ordinal))
    }

    /// The two-letter code.
    pub fn code(self) -> &'static str {
        CODES.get(usize::from(self.0) - 1).and_then(|code| std::str::from_utf8(code).ok()).unwrap_or("??")
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A subdivision of a country: `US-CA`, `DE-BY`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    country: Country,
    /// Up to three characters `0-9A-Z`, base 37 with 0 for "none": 1 to 37³ − 1, so it fits two bytes.
    suffix: u16,
}

impl Region {
    /// The region of a code: an assigned country, a hyphen, one to three characters `0-9A-Z`.
    pub fn from_code(code: &str) -> Option<Self> {
        let (country, suffix) = code.split_once('-')?;
        let country = Country::from_code(country)?;
        if !(1..=3).contains(&suffix.len()) {
            return None;
        }
        let mut packed = 0;
        for byte in suffix.bytes() {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0' + 1,
                b'A'..=b'Z' => byte - b'A' + 11,
                _ => return None,
            };
            packed = packed * 37 + u16::from(digit);
        }
        Some(Self { country, suffix: packed })
    }

    /// The country it belongs to.
    pub fn country(self) -> Country {
        self.country
    }

    /// The packed suffix, 1 to 50,652; unique within the country.
    pub fn suffix(self) -> u16 {
        self.suffix
    }

    /// The region of a country and a packed suffix; `None` where the suffix packs no text.
    pub fn from_parts(country: Country, suffix: u16) -> Option<Self> {
        let region = Self { country, suffix };
        (suffix > 0 && Self::from_code(&region.code()) == Some(region)).then_some(region)
    }

    /// The code as text.
    pub fn code(self) -> String {
        let mut text = Vec::new();
        let mut rest = self.suffix;
        while rest > 0 {
            let digit = (rest % 37) as u8;
            text.push(match digit {
                0 => b'?',
                1..=10 => b'0' + digit - 1,
                _ => b'A' + digit - 11,
            });
            rest /= 37;
        }
        let suffix: String = text.iter().rev().map(|&byte| char::from(byte)).collect();
        format!("{}-{suffix}", self.country.code())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.code())
    }
}

#[rustfmt::skip]
const CODES: [[u8; 2]; 249] = [
    *b"AD", *b"AE", *b"AF", *b"AG", *b"AI", *b"AL", *b"AM", *b"AO", *b"AQ", *b"AR", *b"AS", *b"AT", *b"AU", *b"AW",
    *b"AX", *b"AZ", *b"BA", *b"BB", *b"BD", *b"BE", *b"BF", *b"BG", *b"BH", *b"BI", *b"BJ", *b"BL", *b"BM", *b"BN",
    *b"BO", *b"BQ", *b"BR", *b"BS", *b"BT", *b"BV", *b"BW", *b"BY", *b"BZ", *b"CA", *b"CC", *b"CD", *b"CF", *b"CG",
    *b"CH", *b"CI", *b"CK", *b"CL", *b"CM", *b"CN", *b"CO", *b"CR", *b"CU", *b"CV", *b"CW", *b"CX", *b"CY", *b"CZ",
    *b"DE", *b"DJ", *b"DK", *b"DM", *b"DO", *b"DZ", *b"EC", *b"EE", *b"EG", *b"EH", *b"ER", *b"ES", *b"ET", *b"FI",
    *b"FJ", *b"FK", *b"FM", *b"FO", *b"FR", *b"GA", *b"GB", *b"GD", *b"GE", *b"GF", *b"GG", *b"GH", *b"GI", *b"GL",
    *b"GM", *b"GN", *b"GP", *b"GQ", *b"GR", *b"GS", *b"GT", *b"GU", *b"GW", *b"GY", *b"HK", *b"HM", *b"HN", *b"HR",
    *b"HT", *b"HU", *b"ID", *b"IE", *b"IL", *b"IM", *b"IN", *b"IO", *b"IQ", *b"IR", *b"IS", *b"IT", *b"JE", *b"JM",
    *b"JO", *b"JP", *b"KE", *b"KG", *b"KH", *b"KI", *b"KM", *b"KN", *b"KP", *b"KR", *b"KW", *b"KY", *b"KZ", *b"LA",
    *b"LB", *b"LC", *b"LI", *b"LK", *b"LR", *b"LS", *b"LT", *b"LU", *b"LV", *b"LY", *b"MA", *b"MC", *b"MD", *b"ME",
    *b"MF", *b"MG", *b"MH", *b"MK", *b"ML", *b"MM", *b"MN", *b"MO", *b"MP", *b"MQ", *b"MR", *b"MS", *b"MT", *b"MU",
    *b"MV", *b"MW", *b"MX", *b"MY", *b"MZ", *b"NA", *b"NC", *b"NE", *b"NF", *b"NG", *b"NI", *b"NL", *b"NO", *b"NP",
    *b"NR", *b"NU", *b"NZ", *b"OM", *b"PA", *b"PE", *b"PF", *b"PG", *b"PH", *b"PK", *b"PL", *b"PM", *b"PN", *b"PR",
    *b"PS", *b"PT", *b"PW", *b"PY", *b"QA", *b"RE", *b"RO", *b"RS", *b"RU", *b"RW", *b"SA", *b"SB", *b"SC", *b"SD",
    *b"SE", *b"SG", *b"SH", *b"SI", *b"SJ", *b"SK", *b"SL", *b"SM", *b"SN", *b"SO", *b"SR", *b"SS", *b"ST", *b"SV",
    *b"SX", *b"SY", *b"SZ", *b"TC", *b"TD", *b"TF", *b"TG", *b"TH", *b"TJ", *b"TK", *b"TL", *b"TM", *b"TN", *b"TO",
    *b"TR", *b"TT", *b"TV", *b"TW", *b"TZ", *b"UA", *b"UG", *b"UM", *b"US", *b"UY", *b"UZ", *b"VA", *b"VC", *b"VE",
    *b"VG", *b"VI", *b"VN", *b"VU", *b"WF", *b"WS", *b"YE", *b"YT", *b"ZA", *b"ZM", *b"ZW",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_round_trip_and_are_sorted() {
        assert!(CODES.is_sorted());
        for country in Country::all() {
            assert_eq!(Country::from_code(country.code()), Some(country));
            assert_eq!(Country::from_ordinal(country.ordinal()), Some(country));
        }
        assert_eq!(Country::all().count(), 249);
        assert_eq!(Country::from_code("XX"), None);
        assert_eq!(Country::from_code("de"), None);
        assert_eq!(Country::from_ordinal(0), None);
        assert_eq!(Country::from_ordinal(250), None);
    }

    #[test]
    fn regions_round_trip() {
        for code in ["US-CA", "DE-BY", "FR-75C", "GB-ENG", "JP-13", "AT-9"] {
            let region = Region::from_code(code).expect(code);
            assert_eq!(region.code(), code);
            assert_eq!(Region::from_parts(region.country(), region.suffix()), Some(region));
        }
        for code in ["US", "US-", "US-ABCD", "ZZ-A", "US-a", "US-é"] {
            assert_eq!(Region::from_code(code), None, "{code}");
        }
        assert_eq!(Region::from_parts(Country::from_code("US").expect("US"), 37), None);
    }
}

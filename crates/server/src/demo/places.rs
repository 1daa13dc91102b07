//! Where the made-up people live, how many, in which zone, and what language they speak there.

use throng_model::{Country, Region, Zone};

/// A place that viewers and creators come from.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) country: Option<Country>,
    pub(super) region: Option<Region>,
    pub(super) zone: Zone,
    pub(super) language: &'static str,
    /// Share of the viewers, in no unit.
    pub(super) weight: f64,
}

/// Country, region, zone, language, weight.
const PLACES: [(&str, &str, &str, &str, f64); 30] = [
    ("US", "US-CA", "America/Los_Angeles", "en", 8.0),
    ("US", "US-TX", "America/Chicago", "en", 7.0),
    ("US", "US-NY", "America/New_York", "en", 7.0),
    ("BR", "BR-SP", "America/Sao_Paulo", "pt", 7.0),
    ("BR", "BR-RJ", "America/Sao_Paulo", "pt", 3.0),
    ("IN", "IN-MH", "Asia/Kolkata", "hi", 6.0),
    ("IN", "IN-KA", "Asia/Kolkata", "en", 5.0),
    ("ID", "ID-JK", "Asia/Jakarta", "id", 7.0),
    ("MX", "MX-CMX", "America/Mexico_City", "es", 5.0),
    ("GB", "GB-LND", "Europe/London", "en", 4.0),
    ("GB", "GB-MAN", "Europe/London", "en", 2.0),
    ("DE", "DE-BY", "Europe/Berlin", "de", 3.0),
    ("DE", "DE-NW", "Europe/Berlin", "de", 3.0),
    ("FR", "FR-IDF", "Europe/Paris", "fr", 4.0),
    ("JP", "JP-13", "Asia/Tokyo", "ja", 4.0),
    ("KR", "KR-11", "Asia/Seoul", "ko", 2.5),
    ("NG", "NG-LA", "Africa/Lagos", "en", 3.0),
    ("PH", "PH-00", "Asia/Manila", "tl", 3.5),
    ("TR", "TR-34", "Europe/Istanbul", "tr", 3.0),
    ("VN", "VN-SG", "Asia/Ho_Chi_Minh", "vi", 3.0),
    ("NP", "NP-P3", "Asia/Kathmandu", "ne", 2.0),
    ("ES", "ES-MD", "Europe/Madrid", "es", 2.5),
    ("IT", "IT-62", "Europe/Rome", "it", 2.0),
    ("PL", "PL-14", "Europe/Warsaw", "pl", 1.5),
    ("AU", "AU-NSW", "Australia/Sydney", "en", 1.5),
    ("AU", "AU-SA", "Australia/Adelaide", "en", 0.5),
    ("CA", "CA-ON", "America/Toronto", "en", 1.5),
    ("ZA", "ZA-GP", "Africa/Johannesburg", "en", 1.0),
    ("EG", "EG-C", "Africa/Cairo", "ar", 1.5),
    ("IS", "", "Atlantic/Reykjavik", "is", 0.05),
];

/// The place with the zone that is off by 45 minutes.
pub(super) const KATHMANDU: usize = 20;

/// Every place.
pub(super) fn all() -> Vec<Place> {
    let place = |&(country, region, zone, language, weight): &(&str, &str, &str, &'static str, f64)| Place {
        country: Country::from_code(country),
        region: Region::from_code(region),
        zone: Zone::parse(zone).unwrap_or_default(),
        language,
        weight,
    };
    PLACES.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_place_is_real() {
        for (place, (country, region, zone, ..)) in all().iter().zip(PLACES) {
            assert_eq!(place.country.map(Country::code), Some(country));
            assert_eq!(place.region.map(Region::code).unwrap_or_default(), region);
            assert_eq!(place.zone.name(), zone);
            assert!(place.region.is_none_or(|region| Some(region.country()) == place.country));
        }
        assert_eq!(all().get(KATHMANDU).map(|place| place.zone.name().to_owned()).as_deref(), Some("Asia/Kathmandu"));
    }
}

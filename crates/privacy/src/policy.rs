//! The policy in force: what a platform may configure, and the bounds that no configuration can pass.

use std::fmt;

/// No policy discloses a number with fewer viewers behind it. Compiled in.
pub const AUDIENCE_MIN_FLOOR: u32 = 10;
/// The audience behind each disclosed number where nothing is configured.
pub const AUDIENCE_MIN_DEFAULT: u32 = 50;
/// The largest configurable floor; beyond it a slip of the keyboard is likelier than a wish.
pub const AUDIENCE_MIN_MAX: u32 = 1_000_000;
/// Days between the ends of rolling windows where nothing is configured: the creator's week.
pub const ROLLING_STEP_DAYS_DEFAULT: u16 = 7;
/// The longest configurable step, in days.
pub const ROLLING_STEP_DAYS_MAX: u16 = 28;

/// How audience insights are protected beyond the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Exact numbers above a floor, with suppression of whole tables. Differencing between answers can isolate people.
    Threshold,
    /// Noise on each insight cell, drawn once for ever. Not available in this version.
    Noise,
}

impl Protection {
    /// The name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Noise => "noise",
        }
    }

    /// The protection of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Threshold, Self::Noise].into_iter().find(|protection| protection.name() == name)
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a configuration is no policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The floor is too low or absurdly high.
    #[error("audience_min must lie between {AUDIENCE_MIN_FLOOR} and {AUDIENCE_MIN_MAX}, is {0}")]
    AudienceMin(u32),
    /// The step is 0 or longer than the longest rolling window.
    #[error("rolling_step_days must lie between 1 and {ROLLING_STEP_DAYS_MAX}, is {0}")]
    RollingStepDays(u16),
    /// The protection is known but not built. It is refused, never replaced by a weaker one.
    #[error(
        "protection = \"{0}\" is not available in this version; set protection = \"threshold\" and read what it does not protect against in docs/PRIVACY.md"
    )]
    NotAvailable(Protection),
}

/// A valid policy.
///
/// Invariant: `audience_min` is never below [`AUDIENCE_MIN_FLOOR`], and `protection` is one that this version has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    audience_min: u32,
    protection: Protection,
    rolling_step_days: u16,
}

impl Policy {
    /// Checks each field; nothing is clamped silently.
    pub fn new(audience_min: u32, protection: Protection, rolling_step_days: u16) -> Result<Self, PolicyError> {
        if !(AUDIENCE_MIN_FLOOR..=AUDIENCE_MIN_MAX).contains(&audience_min) {
            return Err(PolicyError::AudienceMin(audience_min));
        }
        if !(1..=ROLLING_STEP_DAYS_MAX).contains(&rolling_step_days) {
            return Err(PolicyError::RollingStepDays(rolling_step_days));
        }
        match protection {
            Protection::Threshold => Ok(Self { audience_min, protection, rolling_step_days }),
            Protection::Noise => Err(PolicyError::NotAvailable(protection)),
        }
    }

    /// Distinct viewers that must stand behind each disclosed number.
    pub fn audience_min(&self) -> u32 {
        self.audience_min
    }

    /// How insights are protected beyond the floor.
    pub fn protection(&self) -> Protection {
        self.protection
    }

    /// Days between the permitted ends of rolling windows.
    pub fn rolling_step_days(&self) -> u16 {
        self.rolling_step_days
    }

    /// A short hash of the fields: two answers with the same version were judged alike.
    pub fn version(&self) -> String {
        // The leading number stands for the rules themselves: raise it when the suppression changes.
        let text =
            format!("throng-policy 1 {} {} {}", self.protection.name(), self.audience_min, self.rolling_step_days);
        blake3::hash(text.as_bytes()).to_hex().chars().take(12).collect()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            audience_min: AUDIENCE_MIN_DEFAULT,
            protection: Protection::Threshold,
            rolling_step_days: ROLLING_STEP_DAYS_DEFAULT,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floor_is_compiled_in() {
        assert_eq!(Policy::new(9, Protection::Threshold, 7), Err(PolicyError::AudienceMin(9)));
        assert_eq!(Policy::new(0, Protection::Threshold, 7), Err(PolicyError::AudienceMin(0)));
        assert!(Policy::new(10, Protection::Threshold, 7).is_ok());
    }

    #[test]
    fn noise_is_refused_and_never_weakened() {
        let refused = Policy::new(50, Protection::Noise, 7).expect_err("not built");
        assert!(refused.to_string().contains("not available in this version"), "{refused}");
        assert_eq!(Protection::from_name("noise"), Some(Protection::Noise));
        assert_eq!(Protection::from_name("none"), None);
    }

    #[test]
    fn a_step_lies_within_the_longest_rolling_window() {
        assert!(Policy::new(50, Protection::Threshold, 0).is_err());
        assert!(Policy::new(50, Protection::Threshold, 29).is_err());
        assert!(Policy::new(50, Protection::Threshold, 28).is_ok());
    }

    #[test]
    fn the_version_names_the_fields() {
        let policy = |audience_min, step| Policy::new(audience_min, Protection::Threshold, step).expect("valid");
        assert_eq!(policy(50, 7).version(), Policy::default().version());
        assert_ne!(policy(50, 7).version(), policy(51, 7).version());
        assert_ne!(policy(50, 7).version(), policy(50, 14).version());
        assert_eq!(Policy::default().version().len(), 12);
    }
}

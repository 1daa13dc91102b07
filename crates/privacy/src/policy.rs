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
/// What one viewer's day with one entity may cost in zero-concentrated differential privacy where nothing is configured.
pub const RHO_DEFAULT: f64 = 0.5;
/// The least configurable ρ: below it hardly anything would be shown.
pub const RHO_MIN: f64 = 0.001;
/// The largest configurable ρ: beyond it the promise says nothing.
pub const RHO_MAX: f64 = 10.0;
/// The probability with which the promise of ε may fail, for one unit.
pub const DELTA: f64 = 1e-6;
/// The part of [`DELTA`] that pays for asking the true count beside the noisy one; see `budget`.
pub(crate) const DELTA_FLOOR: f64 = DELTA / 10.0;

const RHO_UNITS: f64 = 1e6;

/// How audience insights are protected beyond the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protection {
    /// Noise on each insight cell, drawn once for ever: the default.
    Noise,
    /// Exact numbers above a floor, with suppression of whole tables. Differencing between answers can isolate people.
    Threshold,
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
        [Self::Noise, Self::Threshold].into_iter().find(|protection| protection.name() == name)
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a configuration is no policy.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The floor is too low or absurdly high.
    #[error("audience_min must lie between {AUDIENCE_MIN_FLOOR} and {AUDIENCE_MIN_MAX}, is {0}")]
    AudienceMin(u32),
    /// The step is 0 or longer than the longest rolling window.
    #[error("rolling_step_days must lie between 1 and {ROLLING_STEP_DAYS_MAX}, is {0}")]
    RollingStepDays(u16),
    /// ρ is no number, or out of bounds.
    #[error("rho must lie between {RHO_MIN} and {RHO_MAX}, is {0}")]
    Rho(f64),
}

/// A valid policy.
///
/// Invariant: `audience_min` is never below [`AUDIENCE_MIN_FLOOR`], and ρ lies within its bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    audience_min: u32,
    protection: Protection,
    rolling_step_days: u16,
    /// In millionths, so that equal policies are equal to the last bit.
    rho_millionths: u32,
}

impl Policy {
    /// Checks each field; nothing is clamped silently. ρ is [`RHO_DEFAULT`].
    pub fn new(audience_min: u32, protection: Protection, rolling_step_days: u16) -> Result<Self, PolicyError> {
        if !(AUDIENCE_MIN_FLOOR..=AUDIENCE_MIN_MAX).contains(&audience_min) {
            return Err(PolicyError::AudienceMin(audience_min));
        }
        if !(1..=ROLLING_STEP_DAYS_MAX).contains(&rolling_step_days) {
            return Err(PolicyError::RollingStepDays(rolling_step_days));
        }
        Ok(Self { audience_min, protection, rolling_step_days, ..Self::default() })
    }

    /// The same policy with another ρ, kept to millionths. It matters with [`Protection::Noise`] alone.
    pub fn with_rho(self, rho: f64) -> Result<Self, PolicyError> {
        if !(RHO_MIN..=RHO_MAX).contains(&rho) {
            return Err(PolicyError::Rho(rho));
        }
        Ok(Self { rho_millionths: (rho * RHO_UNITS).round() as u32, ..self })
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

    /// What one viewer's day with one entity costs at most, over all answers about that entity.
    pub fn rho(&self) -> f64 {
        f64::from(self.rho_millionths) / RHO_UNITS
    }

    pub(crate) fn rho_millionths(&self) -> u32 {
        self.rho_millionths
    }

    /// ε of the same cost at [`DELTA`]: ρ + 2 √(ρ ln 1/δ) (Bun and Steinke 2016), less the part of δ that pays for the floor.
    pub fn epsilon(&self) -> f64 {
        let rho = self.rho();
        rho + 2.0 * (rho * (1.0 / (DELTA - DELTA_FLOOR)).ln()).sqrt()
    }

    /// A short hash of the fields: two answers with the same version were judged alike.
    pub fn version(&self) -> String {
        // The leading number stands for the rules themselves: raise it when suppression, mechanisms or weights change.
        let mut text =
            format!("throng-policy 3 {} {} {}", self.protection.name(), self.audience_min, self.rolling_step_days);
        if self.protection == Protection::Noise {
            text.push_str(&format!(" {}", self.rho_millionths));
        }
        blake3::hash(text.as_bytes()).to_hex().chars().take(12).collect()
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            audience_min: AUDIENCE_MIN_DEFAULT,
            protection: Protection::Noise,
            rolling_step_days: ROLLING_STEP_DAYS_DEFAULT,
            rho_millionths: (RHO_DEFAULT * RHO_UNITS) as u32,
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
    fn noise_is_the_default_and_rho_is_bounded() {
        assert_eq!(Policy::default().protection(), Protection::Noise);
        assert_eq!(Policy::default().rho(), 0.5);
        for rho in [0.0, -1.0, f64::NAN, f64::INFINITY, 10.1] {
            assert!(Policy::default().with_rho(rho).is_err(), "{rho}");
        }
        assert_eq!(Policy::default().with_rho(0.25).expect("valid").rho(), 0.25);
        assert_eq!(Protection::from_name("noise"), Some(Protection::Noise));
        assert_eq!(Protection::from_name("none"), None);
    }

    #[test]
    fn epsilon_follows_from_rho() {
        assert!((Policy::default().epsilon() - 5.78).abs() < 0.01, "{}", Policy::default().epsilon());
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
        let noise = Policy::new(50, Protection::Noise, 7).expect("valid");
        assert_eq!(noise.version(), Policy::default().version());
        assert_ne!(policy(50, 7).version(), policy(51, 7).version());
        assert_ne!(policy(50, 7).version(), policy(50, 14).version());
        assert_ne!(noise.version(), policy(50, 7).version());
        assert_ne!(noise.version(), noise.with_rho(0.4).expect("valid").version());
        assert_eq!(Policy::default().version().len(), 12);
    }
}

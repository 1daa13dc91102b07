//! What leaves the wall: a number with its disclosure, and the envelope that says under which policy.
//!
//! Fields are private and constructors stay in this crate, so holding one of these proves that the gate made it.

/// Half the width of the interval that holds 95 % of a normal distribution, in standard deviations.
const NORMAL_95: f64 = 1.96;

/// What a measure says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disclosure {
    /// The exact number.
    Exact,
    /// The number with noise; the margin of error says how much.
    Noisy,
    /// Too few viewers stand behind the number, or it would give such a number away. The same for none and for few.
    Withheld,
    /// The days asked for are not all sealed yet.
    NotSealed,
    /// There is no such number: a ratio without denominator, a position in a video of unknown length, a family that the
    /// entity does not have.
    NotApplicable,
}

/// A disclosed number, or the reason why there is none.
///
/// Invariant: `value` is there exactly when the disclosure is `Exact` or `Noisy`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measure {
    value: Option<f64>,
    disclosure: Disclosure,
    /// Standard deviation of the noise in `value`; 0 in an exact one.
    sigma: f64,
    previous: Option<f64>,
    comparable: bool,
}

impl Measure {
    /// The number, where disclosed.
    pub fn value(&self) -> Option<f64> {
        self.value
    }

    /// What the number is, or why there is none.
    pub fn disclosure(&self) -> Disclosure {
        self.disclosure
    }

    /// Half the width of the 95 % interval around a noisy number; `None` for exact ones.
    pub fn margin_of_error(&self) -> Option<f64> {
        (self.disclosure == Disclosure::Noisy).then_some(self.sigma * NORMAL_95)
    }

    /// The number of the range compared with, where one was asked for and it is disclosed.
    pub fn previous(&self) -> Option<f64> {
        self.previous
    }

    /// (Value − previous) ÷ |previous|, where both are disclosed, both ranges are over, and previous is not 0.
    pub fn change(&self) -> Option<f64> {
        let (value, previous) = (self.value?, self.previous?);
        (self.comparable && previous != 0.0).then(|| (value - previous) / previous.abs())
    }

    pub(crate) fn exact(value: f64) -> Self {
        Self { value: Some(value), ..Self::without_value(Disclosure::Exact) }
    }

    /// A number whose noise has this standard deviation.
    pub(crate) fn noisy(value: f64, sigma: f64) -> Self {
        Self { value: Some(value), sigma, ..Self::without_value(Disclosure::Noisy) }
    }

    /// Standard deviation of the noise; 0 of an exact number.
    pub(crate) fn sigma(&self) -> f64 {
        self.sigma
    }

    pub(crate) fn withheld() -> Self {
        Self::without_value(Disclosure::Withheld)
    }

    pub(crate) fn not_sealed() -> Self {
        Self::without_value(Disclosure::NotSealed)
    }

    pub(crate) fn not_applicable() -> Self {
        Self::without_value(Disclosure::NotApplicable)
    }

    /// A count of viewers, shown or withheld.
    pub(crate) fn viewers(shown: Option<u64>) -> Self {
        shown.map_or_else(Self::withheld, |viewers| Self::exact(viewers as f64))
    }

    /// This measure beside the same one of another range. `over` says that both ranges have ended.
    pub(crate) fn beside(self, previous: &Self, over: bool) -> Self {
        Self { previous: previous.value, comparable: over, ..self }
    }

    /// A quotient of two measures: nothing but what they say.
    pub(crate) fn quotient(over: &Self, under: &Self) -> Self {
        for part in [over, under] {
            if part.value.is_none() {
                return Self::without_value(part.disclosure);
            }
        }
        let (Some(value), Some(base)) = (over.value, under.value.filter(|&base| base != 0.0)) else {
            return Self::not_applicable();
        };
        let quotient = value / base;
        if [over, under].iter().all(|part| part.disclosure == Disclosure::Exact) {
            return Self::exact(quotient);
        }
        // To first order, as if the noise of both were independent.
        Self::noisy(quotient, over.sigma.hypot(quotient * under.sigma) / base.abs())
    }

    fn without_value(disclosure: Disclosure) -> Self {
        Self { value: None, disclosure, sigma: 0.0, previous: None, comparable: false }
    }
}

/// An answer that the gate has judged, with the version of the policy that it was judged under.
#[derive(Debug, Clone, PartialEq)]
pub struct Released<T> {
    value: T,
    policy_version: String,
    settled: bool,
}

impl<T> Released<T> {
    /// Not settled: whoever knows better says so.
    pub(crate) fn new(value: T, policy_version: String) -> Self {
        Self { value, policy_version, settled: false }
    }

    pub(crate) fn settled(self, settled: bool) -> Self {
        Self { settled, ..self }
    }

    /// Whether the answer stays as it is while [`crate::Gate::standing`] does: only sealed days and public facts stand
    /// behind it.
    pub fn is_settled(&self) -> bool {
        self.settled
    }

    /// The answer.
    pub fn get(&self) -> &T {
        &self.value
    }

    /// The answer alone. Its measures still say that the gate made them.
    pub fn into_inner(self) -> T {
        self.value
    }

    /// [`crate::Policy::version`] of the policy that judged it.
    pub fn policy_version(&self) -> &str {
        &self.policy_version
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_needs_two_disclosed_numbers_and_a_base() {
        let change = |value: Measure, previous: Measure, over| value.beside(&previous, over).change();
        assert_eq!(change(Measure::exact(150.0), Measure::exact(100.0), true), Some(0.5));
        assert_eq!(change(Measure::exact(1.0), Measure::exact(-2.0), true), Some(1.5));
        assert_eq!(change(Measure::exact(150.0), Measure::exact(0.0), true), None);
        assert_eq!(change(Measure::exact(150.0), Measure::withheld(), true), None);
        assert_eq!(change(Measure::withheld(), Measure::exact(100.0), true), None);
        assert_eq!(change(Measure::exact(150.0), Measure::exact(100.0), false), None);
    }

    #[test]
    fn a_noisy_quotient_carries_the_margins_of_both() {
        let quotient = Measure::quotient(&Measure::noisy(300.0, 30.0), &Measure::noisy(600.0, 60.0));
        assert_eq!((quotient.value(), quotient.disclosure()), (Some(0.5), Disclosure::Noisy));
        let expected = 0.5 * (0.1_f64.powi(2) + 0.1_f64.powi(2)).sqrt() * NORMAL_95;
        assert!((quotient.margin_of_error().expect("noisy") - expected).abs() < 1e-12);
        assert_eq!(Measure::exact(1.0).margin_of_error(), None);
    }

    #[test]
    fn a_quotient_says_no_more_than_its_parts() {
        let (some, zero, none) = (Measure::exact(3.0), Measure::exact(0.0), Measure::withheld());
        assert_eq!(Measure::quotient(&some, &Measure::exact(6.0)).value(), Some(0.5));
        assert_eq!(Measure::quotient(&some, &zero).disclosure(), Disclosure::NotApplicable);
        assert_eq!(Measure::quotient(&none, &some).disclosure(), Disclosure::Withheld);
        assert_eq!(Measure::quotient(&some, &Measure::not_sealed()).disclosure(), Disclosure::NotSealed);
    }
}

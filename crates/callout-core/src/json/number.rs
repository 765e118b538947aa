use std::{cmp::Ordering, fmt};

use smol_str::{SmolStr, ToSmolStr, format_smolstr};

/// A JSON number as it was written: `12345678901234567890123` and `1.10` keep their digits.
///
/// Equality compares the text; [`Number::compare`] compares the values.
#[derive(Clone, PartialEq, Eq)]
pub struct Number(SmolStr);

impl Number {
    /// Takes a text that follows the number grammar of RFC 8259 section 6, else `None`.
    pub fn from_text(text: &str) -> Option<Self> {
        (number_length(text.as_bytes()) == Some(text.len())).then(|| Self(text.into()))
    }

    /// The caller has checked the grammar.
    pub(super) fn from_checked(text: &str) -> Self {
        Self(text.into())
    }

    /// A finite float in its shortest form, else `None`.
    pub fn from_f64(value: f64) -> Option<Self> {
        value.is_finite().then(|| {
            if value.fract() == 0.0 && value.abs() < 1e16 {
                Self(format_smolstr!("{value:.1}"))
            } else {
                Self(format_smolstr!("{value:?}"))
            }
        })
    }

    /// The number as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, if it is written as an integer and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The value, if it is written as an integer and fits.
    pub fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    /// The value, if it is written as an integer and fits.
    pub fn as_i128(&self) -> Option<i128> {
        self.0.parse().ok()
    }

    /// The value, if it is an integer as JSON Schema has it: not only `30` but `30.0` and `3e1` too, of which those up
    /// to 9e15 are taken.
    pub fn as_whole(&self) -> Option<i64> {
        self.as_i64().or_else(|| {
            let float = self.as_f64();
            (float.fract() == 0.0 && float.abs() < 9e15).then_some(float as i64)
        })
    }

    /// The nearest float; infinite for what is beyond its range.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    /// How many digits have to be calculated with, one after the other, to find the float that a number written so is
    /// nearest to: 0 for nearly all numbers, which have no more than fit into a machine word. An exponent is as much
    /// work as hundreds of digits.
    #[inline]
    pub fn slow_digits(text: &str) -> usize {
        /// As many as 64 bits hold.
        const QUICK: usize = 19;
        const QUICK_BYTES: usize = "-1.234567890123456789e-308".len();
        /// For each power of ten that an exponent stands for there may be a digit.
        const SCALED: usize = 320;
        if text.len() <= QUICK {
            return 0;
        }
        let is_other = |byte| !matches!(byte, b'0'..=b'9' | b'.' | b'+' | b'-');
        let end = text.bytes().position(is_other).unwrap_or(text.len());
        if text.len() <= QUICK_BYTES && text.bytes().take(end).filter(u8::is_ascii_digit).count() <= QUICK {
            return 0;
        }
        let is_scaled = matches!(text.as_bytes().get(end), Some(b'e' | b'E'));
        text.len() + if is_scaled { SCALED } else { 0 }
    }

    /// Whether it is written without a fraction and an exponent.
    pub fn is_integer(&self) -> bool {
        !self.0.bytes().any(|byte| matches!(byte, b'.' | b'e' | b'E'))
    }

    /// Compares the values: exactly for integers of up to 128 bits, else as floats.
    pub fn compare(&self, other: &Self) -> Ordering {
        if let (Some(left), Some(right)) = (self.as_i128(), other.as_i128()) {
            return left.cmp(&right);
        }
        let (left, right) = (self.as_f64(), other.as_f64());
        left.partial_cmp(&right).unwrap_or(Ordering::Equal)
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

macro_rules! from_integer {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Number {
            fn from(value: $kind) -> Self {
                Self(value.to_smolstr())
            }
        }
    )*};
}

from_integer!(i8, u8, i16, u16, i32, u32, i64, u64, i128, u128, isize, usize);

/// The length of the number that `bytes` begin with; `None` if they begin with none.
#[inline]
pub(super) fn number_length(bytes: &[u8]) -> Option<usize> {
    let start = usize::from(bytes.first() == Some(&b'-'));
    let at = match bytes.get(start)? {
        b'0' => start + 1,
        b'1'..=b'9' => behind_digits(bytes, start + 1),
        _ => return None,
    };
    match bytes.get(at) {
        Some(b'.' | b'e' | b'E') => behind_fraction(bytes, at),
        _ => Some(at),
    }
}

/// Behind the fraction and the exponent, one of which begins there.
#[inline(never)]
fn behind_fraction(bytes: &[u8], mut at: usize) -> Option<usize> {
    if bytes.get(at) == Some(&b'.') {
        let end = behind_digits(bytes, at + 1);
        if end == at + 1 {
            return None;
        }
        at = end;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let start = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = behind_digits(bytes, start);
        if at == start {
            return None;
        }
    }
    Some(at)
}

#[inline]
fn behind_digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_grammar_of_rfc_8259_is_a_number() {
        for good in ["0", "-0", "1.10", "-1e5", "1E+05", "12345678901234567890123", "0.0e-0"] {
            assert_eq!(Number::from_text(good).map(|n| n.to_string()).as_deref(), Some(good));
        }
        for bad in ["", "-", "01", "+1", "1.", ".5", "1e", "1e+", "NaN", "1 ", "0x1", "-01"] {
            assert_eq!(Number::from_text(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn values_compare_beyond_the_precision_of_a_float() {
        let number = |text| Number::from_text(text).unwrap();
        assert_eq!(number("9007199254740993").compare(&number("9007199254740992")), Ordering::Greater);
        assert_eq!(number("1.0").compare(&number("1")), Ordering::Equal);
        assert_eq!(number("1e400").compare(&number("-1e400")), Ordering::Greater);
    }

    #[test]
    fn digits_beyond_a_machine_word_are_slow_to_read() {
        let table = [
            ("0", 0),
            ("-1234567890123456789", 0),
            ("-0.30000000000000004", 0),
            ("-1.7976931348623157E-308", 0),
            ("-1.234567890123456789e-308", 0),
            ("12345678901234567890", 20),
            ("9007199254740993.0000001", 24),
            ("1.0000000000000001268e300", 345),
            ("1e000000000000000000000000000000000001", 358),
            ("3f2504e0-4f89-11d3-9a0c-0305e82c3301", 36),
        ];
        for (text, digits) in table {
            assert_eq!(Number::slow_digits(text), digits, "{text}");
        }
        assert_eq!(Number::slow_digits(&"7".repeat(1_000)), 1_000);
    }

    #[test]
    fn floats_are_written_so_that_they_stay_floats() {
        for (value, text) in [(1.0, "1.0"), (0.1, "0.1"), (-2.5e-9, "-2.5e-9"), (1e300, "1e300")] {
            assert_eq!(Number::from_f64(value).unwrap().as_str(), text);
        }
        assert_eq!(Number::from_f64(f64::NAN), None);
    }
}

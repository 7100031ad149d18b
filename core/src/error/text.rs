//! Why a text is not a digest or a state.

use core::fmt;

/// A text is not a digest or a state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ParseError {
    /// A hash has exactly 64 digits.
    Length,
    /// A digit is not one of `0`–`9` and `a`–`f`.
    Digit,
    /// A state has a colon between number and hash.
    Separator,
    /// The number is none below 2^64, or not written in its one form.
    Number,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "a hash has exactly 64 digits",
            Self::Digit => "a hash has only the digits 0-9 and a-f",
            Self::Separator => "a state has a colon between number and hash",
            Self::Number => "not a transaction number",
        })
    }
}

impl core::error::Error for ParseError {}

/// Deserializes from a text without allocating.
#[cfg(feature = "serde")]
pub(crate) struct FromStrVisitor<T> {
    expecting: &'static str,
    value: core::marker::PhantomData<T>,
}

#[cfg(feature = "serde")]
impl<T> FromStrVisitor<T> {
    pub(crate) fn new(expecting: &'static str) -> Self {
        Self { expecting, value: core::marker::PhantomData }
    }
}

#[cfg(feature = "serde")]
impl<T> serde::de::Visitor<'_> for FromStrVisitor<T>
where
    T: core::str::FromStr<Err = ParseError>,
{
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.expecting)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

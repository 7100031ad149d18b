//! Lines of text, and the numbers in them.

use core::fmt;

/// Takes the first line, without its newline. `None` if no newline follows.
pub(super) fn next<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let end = rest.bytes().position(|byte| byte == b'\n')?;
    let (line, after) = rest.split_at_checked(end)?;
    *rest = after.strip_prefix('\n')?;
    Some(line)
}

/// A number in decimal, without sign and leading zeros.
pub(super) fn decimal(text: &str) -> Option<u64> {
    if text.is_empty() || text.len() > 1 && text.starts_with('0') {
        return None;
    }
    text.bytes().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0'))),
        _ => None,
    })
}

/// A number as [`decimal`] reads it.
#[derive(Clone, Copy)]
pub(super) struct Decimal {
    digits: [u8; 20],
    from: usize,
}

impl Decimal {
    pub(super) fn new(mut number: u64) -> Self {
        let mut digits = [b'0'; 20];
        let mut from = digits.len();
        for digit in digits.iter_mut().rev() {
            let [.., low] = (number % 10).to_be_bytes();
            *digit = low.wrapping_add(b'0');
            from = from.saturating_sub(1);
            number /= 10;
            if number == 0 {
                break;
            }
        }
        Self { digits, from }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.from..).unwrap_or_default()
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(self.as_bytes()).map_err(|_| fmt::Error)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for number in [0, 1, 9, 10, 100, 20_852_163, u64::MAX] {
            assert_eq!(Decimal::new(number).to_string(), number.to_string());
            assert_eq!(decimal(&number.to_string()), Some(number));
        }
        for text in ["", "00", "01", "+1", "-1", " 1", "1 ", "1_0", "18446744073709551616", "٣"] {
            assert_eq!(decimal(text), None, "{text:?}");
        }
    }
}

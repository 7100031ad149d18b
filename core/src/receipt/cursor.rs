//! Reading and writing the primitives of the format: those of postcard, in their one form each.

use super::error::{ReceiptError, ReceiptErrorKind as Kind};
use crate::wire::{Sink, TooSmall, Writer};

/// Takes primitives from the front and knows where it stands in the whole.
///
/// The first thing that is wrong is kept, and from there on everything that is read is empty or zero:
/// what was read counts only once [`finish`](Self::finish) or [`check`](Self::check) says that nothing
/// was wrong. So a reader is straight code without a way out at each byte, and a third as long.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    error: Option<ReceiptError>,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, error: None }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Whether nothing was wrong so far.
    pub(super) const fn holds(&self) -> bool {
        self.error.is_none()
    }

    /// Whether to go on with a list of which so many are left. Ends where something is wrong, or a false
    /// count would keep us for long.
    pub(super) fn next(&self, left: &mut u64) -> bool {
        match left.checked_sub(1) {
            Some(less) if self.holds() => {
                *left = less;
                true
            }
            _ => false,
        }
    }

    /// How many bytes are still to be read.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Says that this is wrong, unless something was before.
    #[inline(never)]
    pub(super) fn fail(&mut self, kind: Kind, at: usize) {
        if self.holds() {
            self.error = Some(ReceiptError { kind, at });
            self.bytes = &[];
        }
    }

    /// Says that this is wrong unless it holds.
    pub(super) fn expect(&mut self, holds: bool, kind: Kind, at: usize) {
        if !holds {
            self.fail(kind, at);
        }
    }

    /// What was wrong.
    pub(super) const fn check(&self) -> Result<(), ReceiptError> {
        match self.error {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// As [`check`](Self::check), and nothing may be left.
    pub(super) fn finish(&mut self) -> Result<(), ReceiptError> {
        self.end();
        self.check()
    }

    fn end(&mut self) {
        self.expect(self.left() == 0, Kind::TrailingBytes, self.at);
    }

    /// What was read since it stood at `from`.
    pub(super) fn since(&self, from: usize) -> &'a [u8] {
        self.bytes.get(from..self.at).unwrap_or_default()
    }

    #[inline(never)]
    pub(super) fn take(&mut self, len: usize) -> &'a [u8] {
        let end = self.at.saturating_add(len);
        match self.bytes.get(self.at..end) {
            Some(taken) => {
                self.at = end;
                taken
            }
            None => {
                self.fail(Kind::Truncated, self.bytes.len());
                &[]
            }
        }
    }

    pub(super) fn array<const N: usize>(&mut self) -> &'a [u8; N] {
        self.take(N).try_into().unwrap_or(const { &[0; N] })
    }

    pub(super) fn u8(&mut self) -> u8 {
        let &[byte] = self.array();
        byte
    }

    /// Seven bits a byte, the least significant first; the last byte is not 0 unless it is the only
    /// one.
    #[inline(never)]
    pub(super) fn u64(&mut self) -> u64 {
        let at = self.at;
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8();
            let bits = u64::from(byte & 0x7f);
            // Of the tenth byte only one bit has room.
            let placed = bits.checked_shl(shift).unwrap_or(0);
            if placed.checked_shr(shift) != Some(bits) {
                break;
            }
            number |= placed;
            if byte & 0x80 == 0 {
                self.expect(byte != 0 || shift == 0, Kind::NotMinimal, at);
                return number;
            }
        }
        self.fail(Kind::TooLarge, at);
        0
    }

    pub(super) fn u32(&mut self) -> u32 {
        let at = self.at;
        let number = self.u64();
        u32::try_from(number).unwrap_or_else(|_| {
            self.fail(Kind::TooLarge, at);
            0
        })
    }

    /// 0, −1, 1, −2 … as 0, 1, 2, 3 …
    pub(super) fn i64(&mut self) -> i64 {
        let number = self.u64();
        let magnitude = (number >> 1).cast_signed();
        if number & 1 == 0 { magnitude } else { !magnitude }
    }

    /// A length of at most `max`.
    fn len(&mut self, max: usize) -> usize {
        let at = self.at;
        let number = self.u64();
        match usize::try_from(number) {
            Ok(len) if len <= max => len,
            _ => {
                self.fail(Kind::TooLarge, at);
                0
            }
        }
    }

    /// Bytes with their length in front.
    pub(super) fn bytes(&mut self, max: usize) -> &'a [u8] {
        let len = self.len(max);
        self.take(len)
    }

    /// The same, read to their end by `read`.
    pub(super) fn part<T>(&mut self, max: usize, read: impl FnOnce(&mut Self) -> T) -> T {
        let len = self.len(max);
        let whole = self.bytes;
        match whole.get(..self.at.saturating_add(len)) {
            Some(part) => self.bytes = part,
            None => self.fail(Kind::Truncated, whole.len()),
        }
        let value = read(self);
        self.end();
        if self.holds() {
            self.bytes = whole;
        }
        value
    }

    /// All that is left, at most `max` bytes.
    pub(super) fn rest(&mut self, max: usize) -> &'a [u8] {
        self.expect(self.left() <= max, Kind::TooLarge, self.at);
        self.take(self.left())
    }

    /// UTF-8 with its length in front.
    #[inline(never)]
    pub(super) fn text(&mut self, max: usize) -> &'a str {
        let at = self.at;
        let bytes = self.bytes(max);
        core::str::from_utf8(bytes).unwrap_or_else(|_| {
            self.fail(Kind::Utf8, at);
            ""
        })
    }

    /// Hashes with their number in front.
    pub(super) fn hashes(&mut self, max: usize) -> &'a [[u8; 32]] {
        let count = self.len(max);
        self.take(count.saturating_mul(32)).as_chunks().0
    }
}

/// The same primitives, written.
pub(super) trait Put: Sink {
    fn put_u64(&mut self, mut number: u64) -> Result<(), Self::Error> {
        loop {
            let [.., low] = number.to_be_bytes();
            number >>= 7;
            if number == 0 {
                return self.put(&[low & 0x7f]);
            }
            self.put(&[low | 0x80])?;
        }
    }

    fn put_i64(&mut self, number: i64) -> Result<(), Self::Error> {
        self.put_u64(((number << 1) ^ (number >> 63)).cast_unsigned())
    }

    fn put_len(&mut self, len: usize) -> Result<(), Self::Error> {
        self.put_u64(u64::try_from(len).unwrap_or(u64::MAX))
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.put_len(bytes.len())?;
        self.put(bytes)
    }

    fn put_hashes(&mut self, hashes: &[[u8; 32]]) -> Result<(), Self::Error> {
        self.put_len(hashes.len())?;
        self.put(hashes.as_flattened())
    }
}

impl Put for Writer<'_> {}
impl Put for Count {}

/// Counts what is written.
#[derive(Default)]
pub(super) struct Count(pub(super) usize);

impl Sink for Count {
    type Error = TooSmall;

    fn put(&mut self, bytes: &[u8]) -> Result<(), TooSmall> {
        self.0 = self.0.checked_add(bytes.len()).ok_or(TooSmall)?;
        Ok(())
    }
}

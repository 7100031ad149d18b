//! Reading and writing the primitives of the format: those of postcard, in their one form each.

use super::error::{ReceiptError, ReceiptErrorKind as Kind};
use crate::wire::{Sink, TooSmall, Writer};

/// Takes primitives from the front and knows where it stands in the whole.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// How many bytes are still to be read.
    pub(super) const fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    pub(super) const fn error(&self, kind: Kind) -> ReceiptError {
        ReceiptError { kind, at: self.at }
    }

    /// What was read since it stood at `from`.
    pub(super) fn since(&self, from: usize) -> &'a [u8] {
        self.bytes.get(from..self.at).unwrap_or_default()
    }

    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8], ReceiptError> {
        let truncated = ReceiptError { kind: Kind::Truncated, at: self.bytes.len() };
        let end = self.at.checked_add(len).ok_or(truncated)?;
        let taken = self.bytes.get(self.at..end).ok_or(truncated)?;
        self.at = end;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], ReceiptError> {
        let at = self.at;
        self.take(N)?.try_into().map_err(|_| ReceiptError { kind: Kind::Truncated, at })
    }

    pub(super) fn u8(&mut self) -> Result<u8, ReceiptError> {
        let &[byte] = self.array()?;
        Ok(byte)
    }

    /// Seven bits a byte, the least significant first; the last byte is not 0 unless it is the only
    /// one.
    pub(super) fn u64(&mut self) -> Result<u64, ReceiptError> {
        let at = self.at;
        let mut number = 0_u64;
        for shift in (0..u64::BITS).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            // Of the tenth byte only one bit has room.
            let placed = bits.checked_shl(shift).unwrap_or(0);
            if placed.checked_shr(shift) != Some(bits) {
                return Err(ReceiptError { kind: Kind::TooLarge, at });
            }
            number |= placed;
            if byte & 0x80 == 0 {
                let minimal = byte != 0 || shift == 0;
                return if minimal {
                    Ok(number)
                } else {
                    Err(ReceiptError { kind: Kind::NotMinimal, at })
                };
            }
        }
        Err(ReceiptError { kind: Kind::TooLarge, at })
    }

    pub(super) fn u32(&mut self) -> Result<u32, ReceiptError> {
        let at = self.at;
        u32::try_from(self.u64()?).map_err(|_| ReceiptError { kind: Kind::TooLarge, at })
    }

    /// 0, −1, 1, −2 … as 0, 1, 2, 3 …
    pub(super) fn i64(&mut self) -> Result<i64, ReceiptError> {
        let number = self.u64()?;
        let magnitude = (number >> 1).cast_signed();
        Ok(if number & 1 == 0 { magnitude } else { !magnitude })
    }

    /// A length of at most `max`.
    fn len(&mut self, max: usize) -> Result<usize, ReceiptError> {
        let at = self.at;
        let len = usize::try_from(self.u64()?);
        len.ok().filter(|len| *len <= max).ok_or(ReceiptError { kind: Kind::TooLarge, at })
    }

    /// Bytes with their length in front.
    pub(super) fn bytes(&mut self, max: usize) -> Result<&'a [u8], ReceiptError> {
        let len = self.len(max)?;
        self.take(len)
    }

    /// The same as something to be read to its end.
    pub(super) fn part(&mut self, max: usize) -> Result<Self, ReceiptError> {
        let len = self.len(max)?;
        let at = self.at;
        self.take(len)?;
        Ok(Self { bytes: self.bytes.get(..self.at).unwrap_or_default(), at })
    }

    /// All that is left, at most `max` bytes.
    pub(super) fn rest(&mut self, max: usize) -> Result<&'a [u8], ReceiptError> {
        let left = self.left();
        if left > max {
            return Err(self.error(Kind::TooLarge));
        }
        self.take(left)
    }

    /// UTF-8 with its length in front.
    pub(super) fn text(&mut self, max: usize) -> Result<&'a str, ReceiptError> {
        let at = self.at;
        let bytes = self.bytes(max)?;
        core::str::from_utf8(bytes).map_err(|_| ReceiptError { kind: Kind::Utf8, at })
    }

    /// Hashes with their number in front.
    pub(super) fn hashes(&mut self, max: usize) -> Result<&'a [[u8; 32]], ReceiptError> {
        let count = self.len(max)?;
        let bytes = self.take(count.saturating_mul(32))?;
        Ok(bytes.as_chunks().0)
    }

    pub(super) fn finish(&self) -> Result<(), ReceiptError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(self.error(Kind::TrailingBytes)) }
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

//! SHA-256 over the compression function alone.
//!
//! `sha2` has the compression function, in hardware where there is any. What stands around it is
//! padding, and here it is laid out so that a hash of known length is one call without a buffer in
//! between, and that nothing can panic, however little of it the optimiser understands.

use core::convert::Infallible;
use core::slice::from_ref;

use crate::wire::{Sink, copy};

/// FIPS 180-4 §5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

const BLOCK: usize = 64;

/// The byte that follows the message (FIPS 180-4 §5.1.1).
const END: u8 = 0x80;

/// Every hash of this crate goes through here.
#[inline]
fn compress(state: &mut [u32; 8], blocks: &[[u8; BLOCK]]) {
    #[cfg(test)]
    tests::count(blocks.len());
    sha2::block_api::compress256(state, blocks);
}

#[inline]
fn to_bytes(state: [u32; 8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let (words, _) = bytes.as_chunks_mut::<4>();
    for (bytes, word) in words.iter_mut().zip(state) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

/// The hash of a message of `LEN` bytes that fits one block, padding included. It stands at the
/// front of `block`, zeros after it.
#[inline]
pub(crate) fn hash_in_one_block<const LEN: usize>(mut block: [u8; BLOCK]) -> [u8; 32] {
    const { assert!(LEN < BLOCK - 8) };
    #[allow(clippy::indexing_slicing)] // the line above, at compile time
    {
        block[LEN] = END;
    }
    end_with(&mut block, const { bits(LEN) });
    let mut state = INITIAL;
    compress(&mut state, &[block]);
    to_bytes(state)
}

/// As [`hash_in_one_block`], for a message that needs two. It is padded in place: nothing is copied.
#[inline]
pub(crate) fn hash_in_two_blocks<const LEN: usize>(message: &mut [u8; 2 * BLOCK]) -> [u8; 32] {
    let blocks = pad::<LEN>(message);
    let mut state = INITIAL;
    compress(&mut state, blocks);
    to_bytes(state)
}

/// Two messages at once. Neither waits for the other: laid out first and then compressed block by
/// block in turns, the two take three quarters of the time of one after the other on a processor
/// that can look ahead.
#[inline]
pub(crate) fn hash_both_in_two_blocks<const LEN: usize>(
    a: &mut [u8; 2 * BLOCK],
    b: &mut [u8; 2 * BLOCK],
) -> ([u8; 32], [u8; 32]) {
    let (a, b) = (pad::<LEN>(a), pad::<LEN>(b));
    let (mut state_a, mut state_b) = (INITIAL, INITIAL);
    for (a, b) in a.iter().zip(b) {
        compress(&mut state_a, from_ref(a));
        compress(&mut state_b, from_ref(b));
    }
    (to_bytes(state_a), to_bytes(state_b))
}

#[inline(always)]
fn pad<const LEN: usize>(message: &mut [u8; 2 * BLOCK]) -> &[[u8; BLOCK]] {
    const { assert!(BLOCK - 8 <= LEN && LEN < 2 * BLOCK - 8) };
    #[allow(clippy::indexing_slicing)] // the line above, at compile time
    {
        message[LEN] = END;
    }
    end_with(message, const { bits(LEN) });
    message.as_chunks().0
}

#[inline(always)]
fn end_with(message: &mut [u8], bits: [u8; 8]) {
    if let Some(end) = message.last_chunk_mut() {
        *end = bits;
    }
}

/// The hash of the first `len` bytes of a buffer that is zero behind them and has room for the
/// padding; `None` if it has not.
pub(crate) fn hash_in_place<const CAPACITY: usize>(
    buffer: &mut [u8; CAPACITY],
    len: usize,
) -> Option<[u8; 32]> {
    let blocks = len.checked_add(1 + 8)?.div_ceil(BLOCK);
    let (buffer, _) = buffer.as_chunks_mut::<BLOCK>();
    let blocks = buffer.get_mut(..blocks)?;
    *blocks.as_flattened_mut().get_mut(len)? = END;
    let bits = u64::try_from(len).ok()?.checked_mul(8)?;
    *blocks.last_mut()?.last_chunk_mut()? = bits.to_be_bytes();
    let mut state = INITIAL;
    compress(&mut state, blocks);
    Some(to_bytes(state))
}

/// The length of a message in bits, as it ends the last block.
#[allow(clippy::as_conversions)] // evaluated at compile time, of lengths below 128
const fn bits(len: usize) -> [u8; 8] {
    (len as u64).saturating_mul(8).to_be_bytes()
}

/// The hash of a message that comes in parts.
#[derive(Clone)]
pub(crate) struct Sha256 {
    state: [u32; 8],
    /// The bytes that do not fill a block yet, `used` of them.
    block: [u8; BLOCK],
    used: usize,
    /// The whole message so far, in bytes.
    len: u64,
}

impl Sha256 {
    pub(crate) const fn new() -> Self {
        Self { state: INITIAL, block: [0; BLOCK], used: 0, len: 0 }
    }

    /// The hash of one message.
    pub(crate) fn digest(message: &[u8]) -> [u8; 32] {
        Self::of(&[message])
    }

    /// The hash of parts that are one message.
    pub(crate) fn of(parts: &[&[u8]]) -> [u8; 32] {
        let mut hash = Self::new();
        parts.iter().for_each(|part| hash.add(part));
        hash.finish()
    }

    /// Appends bytes.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        let Ok(()) = self.put(bytes);
    }

    /// Appends bytes.
    pub(crate) fn chain(mut self, bytes: &[u8]) -> Self {
        self.add(bytes);
        self
    }

    /// The hash of all that was added, once. By reference: a move would be a copy.
    pub(crate) fn finish(&mut self) -> [u8; 32] {
        let bits = self.len.wrapping_mul(8).to_be_bytes();
        let Ok(()) = self.put(&[END]);
        if self.used > BLOCK - 8 {
            let Ok(()) = self.put_zeros(BLOCK.saturating_sub(self.used));
        }
        let Ok(()) = self.put_zeros((BLOCK - 8).saturating_sub(self.used));
        let Ok(()) = self.put(&bits);
        to_bytes(self.state)
    }

    /// Fills the block with the bytes' beginning and returns the others.
    fn fill<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let free = self.block.get_mut(self.used..).unwrap_or_default();
        let count = free.len().min(bytes.len());
        copy(free, bytes);
        self.used = self.used.saturating_add(count);
        bytes.get(count..).unwrap_or_default()
    }
}

impl Sink for Sha256 {
    type Error = Infallible;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        // Beyond 2^61 bytes SHA-256 is not defined; nobody lives to see it.
        self.len = self.len.wrapping_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        let mut rest = bytes;
        if self.used > 0 {
            rest = self.fill(rest);
            if self.used < BLOCK {
                return Ok(());
            }
            compress(&mut self.state, from_ref(&self.block));
            self.used = 0;
        }
        let (blocks, rest) = rest.as_chunks();
        if !blocks.is_empty() {
            compress(&mut self.state, blocks);
        }
        self.fill(rest);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)] // tests may panic
pub(crate) mod tests {
    use std::cell::Cell;

    use sha2::Digest;

    use super::*;

    std::thread_local! {
        static COMPRESSIONS: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count(blocks: usize) {
        COMPRESSIONS.with(|count| count.set(count.get() + blocks));
    }

    /// How often `work` calls the compression function.
    pub(crate) fn compressions(work: impl FnOnce()) -> usize {
        let before = COMPRESSIONS.with(Cell::get);
        work();
        COMPRESSIONS.with(Cell::get) - before
    }

    fn expected(message: &[u8]) -> [u8; 32] {
        sha2::Sha256::digest(message).into()
    }

    #[test]
    fn every_length_in_every_pair_of_parts() {
        let message: Vec<u8> = (0..200_u8).collect();
        for len in 0..=message.len() {
            let whole = &message[..len];
            for cut in 0..=len {
                let (a, b) = whole.split_at(cut);
                let hash = Sha256::new().chain(a).chain(b).finish();
                assert_eq!(hash, expected(whole), "{len} bytes cut at {cut}");
            }
        }
    }

    #[test]
    fn byte_by_byte_and_with_zeros() {
        let mut hash = Sha256::new();
        let mut message = Vec::new();
        for byte in 0..150_u8 {
            hash = hash.chain(&[byte]);
            message.push(byte);
            let Ok(()) = hash.put_zeros(usize::from(byte));
            message.extend(std::iter::repeat_n(0, usize::from(byte)));
        }
        assert_eq!(hash.finish(), expected(&message));
    }

    #[test]
    fn in_place_at_every_length_that_fits() {
        for len in 0..200 {
            let mut buffer = [0; 128];
            buffer.iter_mut().take(len).for_each(|byte| *byte = 0x77);
            let message: Vec<u8> = std::iter::repeat_n(0x77, len).collect();
            let hash = (len <= 128 - 9).then(|| expected(&message));
            assert_eq!(hash_in_place(&mut buffer, len), hash, "{len} bytes");
        }
    }

    #[test]
    fn messages_of_known_length() {
        fn one<const LEN: usize>() {
            let mut block = [0; 64];
            block[..LEN].fill(0x5a);
            assert_eq!(hash_in_one_block::<LEN>(block), expected(&[0x5a; LEN]));
        }
        fn two<const LEN: usize>() {
            let mut blocks = [0; 128];
            blocks[..LEN].fill(0xa5);
            assert_eq!(hash_in_two_blocks::<LEN>(&mut blocks.clone()), expected(&[0xa5; LEN]));
            let mut other = [0; 128];
            other[..LEN].fill(0x3c);
            let both = (expected(&[0xa5; LEN]), expected(&[0x3c; LEN]));
            assert_eq!(hash_both_in_two_blocks::<LEN>(&mut blocks, &mut other), both);
        }
        one::<0>();
        one::<33>();
        one::<55>();
        two::<56>();
        two::<64>();
        two::<65>();
        two::<72>();
        two::<119>();
    }
}

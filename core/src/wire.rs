//! Reading and writing bytes without a panic: one encoder serves buffers, hashes and comparisons.

/// Puts a part at the front and gives what is behind it, nothing if there is no room. A copy of a
/// slice would panic there, and only an optimiser for speed sees that it cannot happen.
#[inline(always)]
pub(crate) fn lay<'o, const N: usize>(out: &'o mut [u8], part: &[u8; N]) -> &'o mut [u8] {
    match out.split_first_chunk_mut() {
        Some((front, rest)) => {
            *front = *part;
            rest
        }
        None => &mut [],
    }
}

/// Copies as many items as both have, for the same reason.
#[inline]
pub(crate) fn copy<T: Copy>(to: &mut [T], from: &[T]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// Where encoded bytes go.
pub(crate) trait Sink {
    /// Why it takes no more.
    type Error;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    fn put_zeros(&mut self, mut count: usize) -> Result<(), Self::Error> {
        const ZEROS: [u8; 64] = [0; 64];
        while count > 0 {
            let zeros = ZEROS.get(..count).unwrap_or(&ZEROS);
            self.put(zeros)?;
            count = count.saturating_sub(zeros.len());
        }
        Ok(())
    }
}

/// The buffer has no room for what is to be written.
pub(crate) struct TooSmall;

/// Writes into a buffer and gives back the part that it filled.
pub(crate) struct Writer<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl<'o> Writer<'o> {
    pub(crate) fn new(out: &'o mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    pub(crate) fn finish(self) -> &'o [u8] {
        let out: &'o [u8] = self.out;
        out.get(..self.len).unwrap_or_default()
    }
}

impl Sink for Writer<'_> {
    type Error = TooSmall;

    fn put(&mut self, bytes: &[u8]) -> Result<(), TooSmall> {
        let end = self.len.checked_add(bytes.len()).ok_or(TooSmall)?;
        copy(self.out.get_mut(self.len..end).ok_or(TooSmall)?, bytes);
        self.len = end;
        Ok(())
    }
}

/// The bytes are not those that were expected.
pub(crate) struct Differs;

/// Compares what is written with what is expected, byte for byte.
pub(crate) struct Compare<'e> {
    expected: &'e [u8],
}

impl<'e> Compare<'e> {
    pub(crate) fn new(expected: &'e [u8]) -> Self {
        Self { expected }
    }

    /// Nothing more was expected.
    pub(crate) fn finish(self) -> Result<(), Differs> {
        if self.expected.is_empty() { Ok(()) } else { Err(Differs) }
    }
}

impl Sink for Compare<'_> {
    type Error = Differs;

    fn put(&mut self, bytes: &[u8]) -> Result<(), Differs> {
        self.expected = self.expected.strip_prefix(bytes).ok_or(Differs)?;
        Ok(())
    }
}

/// Takes bytes from the front. `None` where there are too few.
pub(crate) struct Reader<'v> {
    rest: &'v [u8],
}

impl<'v> Reader<'v> {
    pub(crate) fn new(bytes: &'v [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn take(&mut self, count: usize) -> Option<&'v [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Takes everything that is left.
    pub(crate) fn rest(&mut self) -> &'v [u8] {
        core::mem::take(&mut self.rest)
    }
}

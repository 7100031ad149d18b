//! What a witness signs (c2sp.org/tlog-cosignature, Ed25519).

use core::fmt;

use super::lines::Decimal;
use super::text::{Checkpoint, TextBytes, write_parts};

/// What a witness signs of a checkpoint at a time: `cosignature/v1`, `time` and the time, the
/// checkpoint's text. `Display` writes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CosignedMessage<'a> {
    /// The checkpoint.
    pub checkpoint: Checkpoint<'a>,
    /// Unix time in seconds, below 2^63.
    pub time: u64,
}

impl<'a> CosignedMessage<'a> {
    pub(super) fn bytes(&self) -> MessageBytes<'a> {
        MessageBytes { time: Decimal::new(self.time), text: self.checkpoint.bytes() }
    }
}

impl fmt::Display for CosignedMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_parts(&self.bytes().parts(), f)
    }
}

pub(super) struct MessageBytes<'a> {
    time: Decimal,
    text: TextBytes<'a>,
}

impl MessageBytes<'_> {
    pub(super) fn parts(&self) -> [&[u8]; 10] {
        let [a, b, c, d, e, f, g] = self.text.parts();
        [b"cosignature/v1\ntime ", self.time.as_bytes(), b"\n", a, b, c, d, e, f, g]
    }
}

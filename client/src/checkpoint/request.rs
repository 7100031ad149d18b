//! What a witness is sent (C2SP tlog-witness, `add-checkpoint`): `old` and the size that it cosigned
//! last, the RFC 6962 consistency proof in base64, an empty line, the checkpoint's note.

use std::fmt;

use base64ct::{Base64, Encoding as _};
use counterfoil_core::TreeSize;

use super::note::SignedCheckpoint;
use super::refusal::CheckpointRefusal;

/// A checkpoint and the proof that it continues the one that a witness has cosigned last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size of the last one; 0 if there is none.
    pub old: TreeSize,
    /// The RFC 6962 consistency proof; empty where `old` is 0 or the checkpoint's size.
    pub proof: Vec<[u8; 32]>,
    /// The checkpoint, signed by its log.
    pub checkpoint: SignedCheckpoint,
}

impl AddCheckpoint {
    /// The most hashes of a proof.
    const MOST: usize = 63;

    /// Reads a request: all of the bytes, and nothing else.
    ///
    /// # Errors
    ///
    /// [`CheckpointRefusal::Request`], [`CheckpointRefusal::Form`].
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointRefusal> {
        let bad = CheckpointRefusal::Request;
        let text = std::str::from_utf8(bytes).map_err(|_| bad("it is not UTF-8"))?;
        let no_end = bad("it ends before the checkpoint");
        let (first, mut rest) = text.split_once('\n').ok_or(no_end.clone())?;
        let old = first.strip_prefix("old ").and_then(decimal);
        let old = old.ok_or(bad("the first line is not `old` and a size"))?;
        let mut proof = Vec::new();
        loop {
            let (line, after) = rest.split_once('\n').ok_or(no_end.clone())?;
            rest = after;
            if line.is_empty() {
                break;
            }
            let mut hash = [0; 32];
            match Base64::decode(line, &mut hash) {
                Ok(decoded) if decoded.len() == 32 => proof.push(hash),
                _ => return Err(bad("a line of the proof is no hash in base64")),
            }
            if proof.len() > Self::MOST {
                return Err(bad("the proof has more than 63 hashes"));
            }
        }
        let checkpoint = SignedCheckpoint::parse(rest.as_bytes().to_vec())?;
        Ok(Self { old: TreeSize::new(old), proof, checkpoint })
    }
}

/// A number in its one form.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(f, "{}", Base64::encode_string(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

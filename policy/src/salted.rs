//! Contents behind commitments.

use std::fmt;

use crate::bytes::Bytes;
use crate::event::PayloadCommitment;

/// A content and the salt under which it was committed to. Together they prove
/// what the commitment stands for; the salt
/// alone lets short contents be guessed, so it is as secret as the content.
#[derive(Clone, PartialEq, Eq)]
pub struct SaltedPayload {
    salt: [u8; 32],
    content: Bytes,
}

impl SaltedPayload {
    /// From its parts. The salt must have come from a good source of
    /// randomness, and for this content only.
    pub fn new(salt: [u8; 32], content: impl Into<Bytes>) -> Self {
        Self { salt, content: content.into() }
    }

    /// The salt.
    pub fn salt(&self) -> &[u8; 32] {
        &self.salt
    }

    /// The content.
    pub fn content(&self) -> &Bytes {
        &self.content
    }

    /// The content, owned.
    pub fn into_content(self) -> Bytes {
        self.content
    }

    /// What commits to it.
    pub fn commitment(&self) -> PayloadCommitment {
        PayloadCommitment::new(&self.salt, self.content.as_slice())
    }
}

/// Neither content nor salt.
impl fmt::Debug for SaltedPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SaltedPayload").field("bytes", &self.content.len()).finish_non_exhaustive()
    }
}

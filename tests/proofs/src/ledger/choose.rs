//! Choices from a number.

use sha2::{Digest, Sha256};

/// As many bytes as asked for, all decided by `seed`: what
/// [`Unstructured`](arbitrary::Unstructured) chooses from where no fuzzer supplies them.
pub fn bytes_of_seed(seed: u64, len: usize) -> Vec<u8> {
    (0_u64..)
        .flat_map(|block| {
            let digest = Sha256::new()
                .chain_update(seed.to_be_bytes())
                .chain_update(block.to_be_bytes())
                .finalize();
            <[u8; 32]>::from(digest)
        })
        .take(len)
        .collect()
}

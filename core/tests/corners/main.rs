//! The ends of the numbers: every function that takes one, at 0, around 2^63 and at 2^64 − 1. A
//! true statement out there holds, and nothing overflows, in debug and in release builds
//! (`scripts/test` runs both).

mod any;
mod chains;
mod duals;
mod entries;
mod headers;
#[path = "../reference/mod.rs"]
mod reference;
mod rows;
mod trees;

use counterfoil_core::*;
use reference::Hash;

const CORNERS: [u64; 11] = [
    0,
    1,
    2,
    3,
    (1 << 32) - 1,
    (1 << 63) - 1,
    1 << 63,
    (1 << 63) + 1,
    u64::MAX - 2,
    u64::MAX - 1,
    u64::MAX,
];

fn terms(count: usize) -> Vec<Hash> {
    (0..count).map(|term| [term as u8 ^ 0xa5; 32]).collect()
}

fn header(id: u64, bl_tx_id: u64) -> Header<'static> {
    Header {
        id: TxId::new(id),
        prev_alh: Alh::new([3; 32]),
        ts: if id.is_multiple_of(2) { i64::MIN } else { i64::MAX },
        version: HeaderVersion::V1,
        metadata: TxMetadata { truncated_tx_id: Some(u64::MAX), extra: None },
        nentries: 0x7fff_ffff,
        eh: Root::new([4; 32]),
        bl_tx_id: TxId::new(bl_tx_id),
        bl_root: Root::new([5; 32]),
    }
}

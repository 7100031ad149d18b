//! Growing trees: at every size the root is RFC 6962's, and the peaks carry it on.
#![no_main]

use counterfoil_core::{Frontier, LeafHash, TreeSize};
use libfuzzer_sys::fuzz_target;

#[path = "../../core/tests/reference/mod.rs"]
mod reference;

fuzz_target!(|input: (Vec<[u8; 4]>, u64, Vec<[u8; 32]>)| {
    let (data, size, peaks) = input;
    let leaves: Vec<_> = data.iter().take(140).map(|data| reference::leaf(data)).collect();
    let mut grown = Frontier::new();
    for count in 0..=leaves.len() {
        assert_eq!(grown.size(), TreeSize::new(count as u64));
        assert_eq!(grown.root().to_bytes(), reference::root(&leaves[..count]));
        let again = Frontier::from_peaks(grown.size(), grown.peaks());
        assert_eq!(again.as_ref(), Ok(&grown));
        if let Some(leaf) = leaves.get(count) {
            grown.push(LeafHash::new(*leaf)).expect("far from full");
        }
    }

    // Of any size, with any peaks.
    let fits = peaks.len() == size.count_ones() as usize;
    let any = Frontier::from_peaks(TreeSize::new(size), &peaks);
    assert_eq!(any.is_ok(), fits, "{any:?}");
    let Ok(mut any) = any else { return };
    let before = any.clone();
    let root = peaks.iter().rev().copied().reduce(|right, left| reference::node(&left, &right));
    assert_eq!(any.root().to_bytes(), root.unwrap_or(reference::root(&[])));
    let pushed = any.push(LeafHash::new([7; 32]));
    assert_eq!(pushed.is_ok(), size < u64::MAX);
    match pushed {
        Ok(()) => {
            assert_eq!(any.size().get(), size + 1);
            assert_eq!(any.peaks().len(), (size + 1).count_ones() as usize);
        }
        Err(_) => assert_eq!(any, before),
    }
});

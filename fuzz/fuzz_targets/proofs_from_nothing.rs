//! Proofs made of arbitrary parts, for every verifier there is: none panics, and both ends of a dual
//! proof agree. (Numbers are drawn from few values, so that counts fit; the fuzzer finds roots that
//! fit by itself, as everything here is its own to choose.)
#![no_main]

use arbitrary::{Result, Unstructured};
use counterfoil_core::*;
use libfuzzer_sys::fuzz_target;

type Hash = [u8; 32];

fuzz_target!(|data: &[u8]| {
    let _ = check(&mut Unstructured::new(data));
});

fn number(u: &mut Unstructured<'_>) -> Result<u64> {
    Ok(match u.int_in_range(0..=3)? {
        0..=1 => u.int_in_range(0..=9)?,
        2 => *u.choose(&[1 << 63, (1 << 63) - 1, u64::MAX - 1, u64::MAX])?,
        _ => u.arbitrary()?,
    })
}

fn hashes(u: &mut Unstructured<'_>) -> Result<Vec<Hash>> {
    (0..u.int_in_range(0..=6)?).map(|_| u.arbitrary()).collect()
}

fn header<'u>(u: &mut Unstructured<'u>) -> Result<Header<'u>> {
    let extra = if u.arbitrary()? { Some(u.arbitrary()?) } else { None };
    Ok(Header {
        id: number(u)?.into(),
        prev_alh: Alh::new(u.arbitrary()?),
        ts: u.arbitrary()?,
        version: if u.arbitrary()? { HeaderVersion::V1 } else { HeaderVersion::V0 },
        metadata: TxMetadata { truncated_tx_id: u.arbitrary()?, extra },
        nentries: number(u)? as u32,
        eh: Root::new(u.arbitrary()?),
        bl_tx_id: number(u)?.into(),
        bl_root: Root::new(u.arbitrary()?),
    })
}

fn check(u: &mut Unstructured<'_>) -> Result<()> {
    let policy = ProofPolicy::STRICT.with_max_chain(u.int_in_range(0..=9)?);
    let policy = if u.arbitrary()? { policy.legacy_untied() } else { policy };
    let (source_header, target_header) = (header(u)?, header(u)?);
    let (a, b, c, d) = (hashes(u)?, hashes(u)?, hashes(u)?, hashes(u)?);
    let (root, other) = (Root::new(u.arbitrary()?), Root::new(u.arbitrary()?));
    let (source, target) = (TxId::new(number(u)?), TxId::new(number(u)?));
    let size = TreeSize::new(number(u)?);
    let end = TxAlh { tx: target, alh: Alh::new(u.arbitrary()?) };
    let state = TrustedState { tx: target, alh: target_header.alh().unwrap_or(end.alh) };
    let from = TrustedState { tx: source, alh: source_header.alh().unwrap_or(end.alh) };

    let leaf = LeafHash::new(u.arbitrary()?);
    let index = LeafIndex::new(source.get());
    let old = TreeSize::new(source.get());
    let _ = verify_inclusion(&leaf, index, size, &a, &root);
    let _ = verify_last_inclusion(&leaf, size, &a, &root);
    let _ = verify_consistency(old, &root, size, &other, &b);
    let _ = verify_consistency_immudb(old, &root, size, &other, &b);

    let linear = LinearProof { source, target, terms: &c };
    let claimed = TxAlh { tx: source, alh: Alh::new(u.arbitrary()?) };
    let _ = verify_linear(&linear, &claimed, &end, policy);
    let paths: [&[Hash]; 3] = [&a, &b, &d];
    let paths = paths.get(..u.int_in_range(0..=3)?).unwrap_or_default();
    let advance = LinearAdvanceProof { terms: &d, inclusion: paths };
    let advance = if u.arbitrary()? { Some(advance) } else { None };
    let _ = verify_linear_advance(advance.as_ref(), source, &end, size, &root, policy);

    let dual = DualProof {
        source_header,
        target_header,
        inclusion: &a,
        consistency: &b,
        target_bl_tx_alh: Alh::new(u.arbitrary()?),
        last_inclusion: &d,
        linear,
        linear_advance: advance,
    };
    let v2 = DualProofV2 { source_header, target_header, inclusion: &a, consistency: &b };
    let to = TxAlh { tx: state.tx, alh: state.alh };
    let back = state.verify_tx_dual(source, &dual, policy).is_ok();
    let on = from.verify_extension(&to, &dual, policy).is_ok();
    assert_eq!(back, on, "the two ends disagree");
    let back = state.verify_tx_dual_v2(source, &v2, policy).is_ok();
    let on = from.verify_extension_v2(&to, &v2, policy).is_ok();
    assert_eq!(back, on, "the two ends disagree about version 2");
    let _ = TrustedState::first_contact(&to, &target_header);
    let _ = source_header.check();
    if let Ok(tx) = state.verify_tx(&target_header, &source_header, &a) {
        let _ =
            tx.verify_entry(tx.version(), &EntryDigest::new(u.arbitrary()?), u.arbitrary()?, &b);
        let _ = tx.verify_all_entries(tx.version(), c.iter().copied().map(EntryDigest::new));
    }
    Ok(())
}

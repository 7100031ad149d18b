//! Headers: the hash is the format's, those without one are refused, and no two have the same.
#![no_main]

use arbitrary::Arbitrary;
use counterfoil_core::{Alh, HeaderVersion, TrustedState, TxAlh, TxId};
use counterfoil_proof_tests::lax::{self, Rules};
use counterfoil_proof_tests::ledger::OwnedHeader;
use libfuzzer_sys::fuzz_target;

#[derive(Arbitrary, Debug)]
struct Fields {
    id: u64,
    first: bool,
    prev_alh: Option<[u8; 32]>,
    ts: i64,
    v0: bool,
    truncated_tx_id: Option<u64>,
    extra: Option<Vec<u8>>,
    /// More bytes than an input is likely to bring.
    more_extra: Option<u16>,
    nentries: u32,
    eh: [u8; 32],
    bl_tx_id: u64,
    no_tree: bool,
    bl_root: Option<[u8; 32]>,
}

impl Fields {
    fn header(self) -> OwnedHeader {
        let mut extra = self.extra;
        if let (Some(extra), Some(more)) = (&mut extra, self.more_extra) {
            extra.resize(extra.len() + usize::from(more), 0);
        }
        OwnedHeader {
            id: if self.first { 1 } else { self.id },
            prev_alh: self.prev_alh.unwrap_or(Alh::BEFORE_FIRST.to_bytes()),
            ts: self.ts,
            version: if self.v0 { HeaderVersion::V0 } else { HeaderVersion::V1 },
            truncated_tx_id: self.truncated_tx_id,
            extra,
            nentries: self.nentries,
            eh: self.eh,
            bl_tx_id: if self.no_tree { 0 } else { self.bl_tx_id },
            bl_root: self.bl_root.unwrap_or([0; 32]),
        }
    }

    fn states_what_headers_can(header: &OwnedHeader) -> bool {
        lax::header(Rules::STRICT, header)
            && header.extra.as_ref().is_none_or(|extra| extra.len() <= 256)
    }
}

fuzz_target!(|input: [Fields; 2]| {
    let headers = input.map(Fields::header);
    for header in &headers {
        let view = header.view();
        let can = Fields::states_what_headers_can(header);
        let alh = view.alh();
        assert_eq!(alh.ok(), can.then(|| Alh::new(header.alh())), "{alh:?}");
        assert_eq!(view.inner_hash().map(|hash| hash.to_bytes()).ok(), can.then(|| header.inner()));

        let first = header.id != 1 || header.prev_alh == Alh::BEFORE_FIRST.to_bytes();
        let tree = header.bl_tx_id != 0 || header.bl_root == [0; 32];
        assert_eq!(view.check().is_ok(), can && first && tree);
        let claimed = TxAlh { tx: TxId::new(header.id), alh: Alh::new(header.alh()) };
        let contact = TrustedState::first_contact(&claimed, &view);
        assert_eq!(
            contact.map(|contact| contact.state()).ok(),
            view.check().ok().map(|()| claimed)
        );
        let other = TxAlh { alh: Alh::ZERO, ..claimed };
        assert!(TrustedState::first_contact(&other, &view).is_err());
        let other = TxAlh { tx: TxId::new(header.id ^ 1), ..claimed };
        assert!(TrustedState::first_contact(&other, &view).is_err());
    }
    let [a, b] = &headers;
    if let (Ok(a_alh), Ok(b_alh)) = (a.view().alh(), b.view().alh()) {
        assert_eq!(a_alh == b_alh, a == b);
    }
});

//! What headers may state.

use counterfoil_core::*;

use super::{CORNERS, header};

#[test]
fn headers_are_judged_by_their_numbers_alone() {
    for id in CORNERS {
        for bl_tx_id in CORNERS {
            let header = header(id, bl_tx_id);
            let expected = match id {
                0 => Err(HeaderError::IdZero),
                _ if bl_tx_id >= id => {
                    Err(HeaderError::TreeNotBehind { id: header.id, bl_tx_id: header.bl_tx_id })
                }
                _ => Ok(()),
            };
            assert_eq!(header.alh().map(|_| ()), expected);
            assert_eq!(header.inner_hash().map(|_| ()), expected);
        }
    }
    for nentries in [0, 1, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, u32::MAX] {
        for (version, most) in [(HeaderVersion::V0, 0xffff), (HeaderVersion::V1, 0x7fff_ffff)] {
            let metadata = TxMetadata::default();
            let header = Header { nentries, version, metadata, ..header(7, 6) };
            let holds = (1..=most).contains(&nentries);
            assert_eq!(header.alh().is_ok(), holds, "{nentries} in {version:?}");
        }
    }
}

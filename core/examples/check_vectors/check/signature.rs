//! Signatures of states.

use counterfoil_core::{Alh, StateKey, TrustedState, TxAlh, TxId};

use super::Outcome;
use super::case::{Case, equal, failed};

pub(super) fn signed_state(case: Case<'_>) -> Outcome {
    let key = StateKey::from_sec1(&case.bytes("public_key_sec1")?).map_err(failed("SEC 1"))?;
    let same = StateKey::from_spki(&case.bytes("public_key_spki")?).map_err(failed("SPKI"))?;
    equal("key", key, same)?;

    let database = case.str("db")?;
    let signature = case.bytes("signature")?;
    let Ok(alh) = <[u8; 32]>::try_from(case.bytes("tx_hash")?) else {
        return case.expect(Err("a hash has 32 bytes"));
    };
    let state = TxAlh { tx: TxId::new(case.u64("tx_id")?), alh: Alh::new(alh) };
    let answer = key.verify(database.as_bytes(), &state, &signature);
    if let Ok(signed) = &answer {
        let TxAlh { tx, alh } = state;
        let state = signed.state_of(database.as_bytes());
        equal("state", state, Ok(TrustedState { tx, alh }))?;
    }
    case.expect(answer.map(|_| ()))
}

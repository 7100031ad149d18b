//! A verdict for people: the whole sentence, and what leads on from there.

use counterfoil_core::TxId;
use counterfoil_core::receipt::{Missing, Receipt, Verdict};

/// The verdict in words. Where it is short of the pin, with what to ask for: a link shows that an event
/// up to the pin is in the ledger, and of a newer one only that it continues the pin, as anybody could.
pub(super) fn detail(verdict: &Verdict, receipt: Option<&Receipt<'_>>) -> String {
    let is_behind =
        |pin: TxId| receipt.is_some_and(|receipt| receipt.events().any(|event| event.tx > pin));
    match verdict {
        Verdict::CannotDecide(Missing::Link { pin, state }) if pin.tx > state.tx => {
            format!("{verdict} is missing: have the receipt made with `--under TX:ALH` of your pin")
        }
        Verdict::CannotDecide(Missing::Link { pin, .. }) if is_behind(pin.tx) => format!(
            "{verdict} is missing, and would not be enough: an event is newer than the pin. {NEWER}; \
             `--since TX:ALH` of your pin alone shows only that the receipt extends it"
        ),
        Verdict::CannotDecide(Missing::Link { .. }) => format!(
            "{verdict} is missing: have the receipt made with `--since TX:ALH` of your pin, or pin a \
             newer state"
        ),
        Verdict::ExtendsPin { .. } => {
            format!("{verdict}: whoever knows a pin can extend it. {NEWER}")
        }
        _ => verdict.to_string(),
    }
}

/// What leads on where an event is newer than the pin.
const NEWER: &str = "What leads on is a newer pin, from somebody you trust, or a receipt with a \
                     checkpoint or a state signature that counts under your policy";

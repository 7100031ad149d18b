//! Writes seeds for the client's formats, from a small ledger in memory:
//! `cargo run --example client_seeds FOLDER` (scripts/make-seeds does).

use std::path::{Path, PathBuf};

use counterfoil::body::GenesisBody;
use counterfoil::{Cover, Event, Payload, PayloadCommitment, StoreOptions, TxId};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("a folder, please")?);
    let store = StoreOptions::default().in_memory().await?;
    let shipment = Cover::new("shipment", "SSCC-00123456");
    let commitment = Payload::Commitment(PayloadCommitment::new(&[1; 32], b"x"));
    let events = [
        Event::new(&shipment, "Counted", r#"{"n": 1}"#),
        Event::new(&shipment, "Departed", r#"{"from": "Basel"}"#)
            .with_metadata("temperature", "4.5 °C")
            .with_metadata("signature", [0, 159, 146, 150])
            .with_correlation_id("order 77")
            .with_causation_id("dispatch 3")
            .with_external_id("scan 9812"),
        Event::new(&shipment.clone().in_edition("draft"), "Consented", commitment),
    ];
    for (number, event) in events.iter().enumerate() {
        let added = store.add_event(event).await?;
        write(&folder, "formats", number, added.proof.body.as_ref())?;
        write(&folder, "proof_json", number, &serde_json::to_vec(&added.proof)?)?;
        let proof = store.get_proof_at_tx(TxId::new(1)).await?;
        write(&folder, "proof_json", events.len() + number, &serde_json::to_vec(&proof)?)?;
    }
    for (number, created_at) in [0, 1_700_000_000_000_000, -1].into_iter().enumerate() {
        write(&folder, "formats", events.len() + number, &GenesisBody::new(created_at).encode())?;
    }
    Ok(())
}

fn write(folder: &Path, target: &str, number: usize, bytes: &[u8]) -> Result<()> {
    let folder = folder.join(target);
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(number.to_string()), bytes)?)
}

//! What goes to a witness and what comes back. A request is written as it was read. Of an answer, begun
//! here by a line with its HTTP status and content type, only what the witness's key signed over this very
//! checkpoint is taken for a cosignature.
#![no_main]

use counterfoil::checkpoint::{AddCheckpoint, SignedCheckpoint, WitnessReply, WitnessSays};
use counterfoil::core::checkpoint::{NoteSignature, WitnessKey};
use counterfoil_fuzz::texts;
use libfuzzer_sys::fuzz_target;

/// When the first of the documented witnesses signed, and by when nobody had signed yet.
const SIGNED: u64 = 1_700_000_100;
const EARLY: u64 = SIGNED - 301;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(request) = AddCheckpoint::parse(bytes) {
        assert_eq!(request.to_string().as_bytes(), bytes);
    }
    if let Ok(checkpoint) = SignedCheckpoint::parse(bytes.to_vec()) {
        assert_eq!(checkpoint.as_str().as_bytes(), bytes);
    }
    if let Some(reply) = reply(bytes) {
        answer(&reply);
    }
});

fn reply(bytes: &[u8]) -> Option<WitnessReply> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (status, content_type) = str::from_utf8(&bytes[..end]).ok()?.split_once(' ')?;
    let (status, content_type) = (status.parse().ok()?, content_type.to_owned());
    Some(WitnessReply { status, content_type, body: bytes[end + 1..].to_vec() })
}

fn answer(reply: &WitnessReply) {
    let [keys, note] = texts();
    let signed = SignedCheckpoint::parse(note.as_bytes().to_vec()).expect("a checkpoint");
    let checkpoint = signed.checkpoint();
    for (place, key) in keys.lines().skip(1).enumerate() {
        let key = WitnessKey::parse(key).expect("a key");
        match reply.read(&checkpoint, &key, SIGNED) {
            Ok(WitnessSays::Cosigned { line, time }) => {
                let line = NoteSignature::parse(&line).expect("a line");
                assert_eq!(key.verify(&checkpoint, &line), Ok(time));
                // The second one signed 100 seconds later.
                assert_eq!((reply.status, time), (200, SIGNED + 100 * place as u64));
                assert!(reply.read(&checkpoint, &key, EARLY).is_err(), "signed in time to come");
            }
            Ok(WitnessSays::Knows { size }) => {
                let text = str::from_utf8(&reply.body).expect("a number");
                assert_eq!((reply.status, text.trim_end_matches('\n')), (409, &*size.to_string()));
            }
            Ok(other) => panic!("{other:?}"),
            Err(_) => {}
        }
    }
}

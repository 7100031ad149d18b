//! The checkpoint of a receipt: size and root are those of its state's tree, so only the origin and
//! the signatures are there.
//!
//! ```text
//! checkpoint    = origin ‖ count ‖ log signature… ‖ count ‖ cosignature…
//! log signature = key id [4] ‖ signature [64]
//! cosignature   = name ‖ key id [4] ‖ time ‖ signature [64]
//! ```

use core::fmt;

use super::cursor::{Cursor, Put};
use super::error::{ReceiptError, ReceiptErrorKind as Kind};
use crate::checkpoint::{Checkpoint, KeyId, KeyName, Note, NoteError, NoteSignature};
use crate::digest::Root;
use crate::header::{Header, RawHeader};
use crate::number::TreeSize;
use crate::wire::{Sink, TooSmall, Writer};

/// A checkpoint of the tree of a receipt's state, with signatures of logs and witnesses. Nothing of it
/// is verified. `Display` writes it as a note.
///
/// It vouches for the transactions of that tree: for all up to the state header's `bl_tx_id`, and not
/// for the state's own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReceiptCheckpoint<'a> {
    checkpoint: Checkpoint<'a>,
    /// As they stand in the receipt.
    pub(super) bytes: &'a [u8],
}

impl<'a> ReceiptCheckpoint<'a> {
    /// Takes from a note what a receipt under the state of this header holds of it, in `out`: log
    /// signatures under the origin's name and cosignatures, both Ed25519, each key's first. Lines of
    /// other forms are left out.
    ///
    /// No signature is verified: every line of those forms is copied, also of keys that nobody knows
    /// and such as do not verify. One that is wrong under a key that a verifier knows breaks the
    /// receipt for that verifier, so verify the note before, or take it from who has.
    ///
    /// # Errors
    ///
    /// [`ReceiptErrorKind`](super::ReceiptErrorKind): `OtherCheckpoint` if the note's is not one of
    /// this state's tree, or has extension lines; `Checkpoint` if it is none, or no log signed it;
    /// `BufferTooSmall`.
    pub fn from_note(
        note: &Note<'_>,
        state: &Header<'_>,
        out: &'a mut [u8],
    ) -> Result<Self, ReceiptError> {
        let bad = |error| ReceiptError { kind: Kind::Checkpoint(error), at: 0 };
        let checkpoint = Checkpoint::parse(note.text()).map_err(bad)?;
        let of_state =
            Checkpoint::new(checkpoint.origin(), state.bl_tx_id.tree_size(), state.bl_root);
        if of_state.map_err(bad)? != checkpoint {
            return Err(ReceiptError { kind: Kind::OtherCheckpoint, at: 0 });
        }
        let mut writer = Writer::new(out);
        put(&mut writer, note, checkpoint.origin())?;
        let mut cursor = Cursor::new(writer.finish());
        let read = Self::read_of(&mut cursor, state.bl_tx_id.tree_size(), state.bl_root);
        cursor.finish()?;
        read.ok_or(ReceiptError { kind: Kind::OtherCheckpoint, at: 0 })
    }

    /// Reads it whole. `None` only where the cursor says what is wrong.
    pub(super) fn read(cursor: &mut Cursor<'a>, state: &RawHeader<'_>) -> Option<Self> {
        Self::read_of(cursor, state.bl_tx_id.tree_size(), Root::new(*state.bl_root))
    }

    fn read_of(cursor: &mut Cursor<'a>, size: TreeSize, root: Root) -> Option<Self> {
        let from = cursor.at();
        let origin = read_name(cursor)?;
        let checkpoint = Checkpoint::new(origin, size, root);
        let checkpoint = kept(cursor, checkpoint, from)?;
        let mut walk = Walk::begin(origin, cursor);
        cursor.expect(walk.left != 0, Kind::Checkpoint(NoteError::Unsigned), from);
        let mut previous = None;
        let mut count = 0_usize;
        while let Some((at, signature)) = walk.next(cursor) {
            let key = Some((walk.cosignatures, signature.name(), signature.id()));
            cursor.expect(previous < key, Kind::Order, at);
            previous = key;
            count = count.saturating_add(1);
            let few = count <= Note::MAX_SIGNATURES;
            cursor.expect(few, Kind::Checkpoint(NoteError::TooManySignatures), from);
        }
        Some(Self { checkpoint, bytes: cursor.since(from) })
    }

    /// The checkpoint: the receipt's state header says its size and its root.
    pub const fn checkpoint(&self) -> Checkpoint<'a> {
        self.checkpoint
    }

    /// The signatures: those of logs by rising ids, then those of witnesses by names and ids.
    pub fn signatures(&self) -> impl Iterator<Item = NoteSignature<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.bytes);
        // Every byte was read before: nothing here can fail.
        let mut walk = read_name(&mut cursor).map(|origin| Walk::begin(origin, &mut cursor));
        core::iter::from_fn(move || Some(walk.as_mut()?.next(&mut cursor)?.1))
    }
}

impl fmt::Display for ReceiptCheckpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checkpoint.fmt(f)?;
        f.write_str("\n")?;
        self.signatures().try_for_each(|signature| signature.fmt(f))
    }
}

fn read_name<'a>(cursor: &mut Cursor<'a>) -> Option<KeyName<'a>> {
    let at = cursor.at();
    let name = KeyName::new(cursor.text(KeyName::MAX_LEN));
    kept(cursor, name, at)
}

fn kept<T>(cursor: &mut Cursor<'_>, read: Result<T, NoteError>, at: usize) -> Option<T> {
    read.map_err(|error| cursor.fail(Kind::Checkpoint(error), at)).ok()
}

/// Goes through the signatures.
struct Walk<'a> {
    origin: KeyName<'a>,
    left: u64,
    cosignatures: bool,
}

impl<'a> Walk<'a> {
    fn begin(origin: KeyName<'a>, cursor: &mut Cursor<'a>) -> Self {
        Self { origin, left: cursor.u32().into(), cosignatures: false }
    }

    /// The next one, and where it stands.
    fn next(&mut self, cursor: &mut Cursor<'a>) -> Option<(usize, NoteSignature<'a>)> {
        if self.left == 0 && !self.cosignatures {
            (self.left, self.cosignatures) = (cursor.u32().into(), true);
        }
        if !cursor.next(&mut self.left) {
            return None;
        }
        let at = cursor.at();
        if !self.cosignatures {
            let id = KeyId::new(*cursor.array());
            return Some((at, NoteSignature::plain(self.origin, id, cursor.array())));
        }
        let name = read_name(cursor)?;
        let (id, time) = (KeyId::new(*cursor.array()), cursor.u64());
        let signature = NoteSignature::cosignature(name, id, time, cursor.array());
        Some((at, kept(cursor, signature, at)?))
    }
}

/// Writes what a receipt holds of a note.
fn put(out: &mut Writer<'_>, note: &Note<'_>, origin: KeyName<'_>) -> Result<(), TooSmall> {
    let logs = || {
        let own = note.signatures().filter(move |signature| signature.name() == origin);
        own.filter_map(|signature| Some((signature, signature.as_plain()?)))
    };
    let witnesses = || {
        let all = note.signatures();
        all.filter_map(|signature| Some((signature, signature.as_cosignature()?)))
    };
    out.put_bytes(origin.as_str().as_bytes())?;
    out.put_len(count(each(logs)))?;
    for (signature, bytes) in each(logs) {
        out.put(&signature.id().to_bytes())?;
        out.put(&bytes)?;
    }
    out.put_len(count(each(witnesses)))?;
    for (signature, (time, bytes)) in each(witnesses) {
        out.put_bytes(signature.name().as_str().as_bytes())?;
        out.put(&signature.id().to_bytes())?;
        out.put_u64(time)?;
        out.put(&bytes)?;
    }
    Ok(())
}

/// How many there are: `Iterator::count` can overflow.
fn count(items: impl Iterator) -> usize {
    items.fold(0, |count, _| usize::saturating_add(count, 1))
}

/// The first signature of each key, by rising names and ids.
fn each<'n, T, I: Iterator<Item = (NoteSignature<'n>, T)>>(
    all: impl Fn() -> I,
) -> impl Iterator<Item = (NoteSignature<'n>, T)> {
    let key = |signature: &NoteSignature<'n>| (signature.name(), signature.id());
    let mut last = None;
    core::iter::from_fn(move || {
        let later = all().filter(|(one, _)| last.is_none_or(|last| key(one) > last));
        // Of equal ones the first.
        let next = later.min_by_key(|(one, _)| key(one))?;
        last = Some(key(&next.0));
        Some(next)
    })
}

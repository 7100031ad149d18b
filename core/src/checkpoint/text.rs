//! The text of a checkpoint (c2sp.org/tlog-checkpoint).
//!
//! ```text
//! origin
//! size, decimal
//! root, base64
//! extension lines, not empty
//! ```

use core::fmt;

use super::base64;
use super::error::NoteError;
use super::lines::{self, Decimal};
use super::name::KeyName;
use crate::digest::Root;
use crate::number::TreeSize;

/// What a log says of itself: how large it is, and the root over its leaves. A claim, until a
/// `LogPolicy` opens the note that carries it.
///
/// `Display` writes its text, which the log's key signs. One checkpoint has one text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint<'a> {
    origin: KeyName<'a>,
    size: TreeSize,
    root: Root,
    /// Lines with their newlines.
    extensions: &'a str,
}

impl<'a> Checkpoint<'a> {
    /// Of the log of this name. Of a ledger in the state of transaction M, `size` is M's
    /// [`bl_tx_id`](crate::Header::bl_tx_id), a number of transactions, and `root` its `bl_root`.
    ///
    /// # Errors
    ///
    /// [`NoteError::EmptyTree`] for size 0 with another root than [`Root::EMPTY`].
    pub fn new(origin: KeyName<'a>, size: TreeSize, root: Root) -> Result<Self, NoteError> {
        if size.get() == 0 && root != Root::EMPTY {
            return Err(NoteError::EmptyTree);
        }
        Ok(Self { origin, size, root, extensions: "" })
    }

    /// Reads the text of a note, [`Note::text`](super::Note::text).
    ///
    /// # Errors
    ///
    /// [`NoteError`]: `Name` for an origin that cannot be a key's name, `Size`, `Root`, `EmptyTree`,
    /// `Extension`, `Text` for control characters.
    pub fn parse(text: &'a str) -> Result<Self, NoteError> {
        let mut rest = text;
        let origin = KeyName::new(lines::next(&mut rest).unwrap_or_default())?;
        let size = lines::next(&mut rest).and_then(lines::decimal).ok_or(NoteError::Size)?;
        let root = lines::next(&mut rest).and_then(base64::decode).ok_or(NoteError::Root)?;
        let checkpoint = Self::new(origin, TreeSize::new(size), Root::new(root))?;
        let extensions = rest;
        while !rest.is_empty() {
            let line = lines::next(&mut rest).filter(|line| !line.is_empty());
            if line.ok_or(NoteError::Extension)?.chars().any(char::is_control) {
                return Err(NoteError::Text);
            }
        }
        Ok(Self { extensions, ..checkpoint })
    }

    /// The log's name.
    pub const fn origin(&self) -> KeyName<'a> {
        self.origin
    }

    /// How many leaves: transactions 1 to this number.
    pub const fn size(&self) -> TreeSize {
        self.size
    }

    /// The RFC 6962 root over them.
    pub const fn root(&self) -> Root {
        self.root
    }

    /// Further lines, each with its newline; mostly empty. The log signs them, and no witness says
    /// anything about them.
    pub const fn extensions(&self) -> &'a str {
        self.extensions
    }

    pub(super) fn bytes(&self) -> TextBytes<'a> {
        TextBytes {
            origin: self.origin,
            size: Decimal::new(self.size.get()),
            root: base64::hash_text(self.root.as_bytes()),
            extensions: self.extensions,
        }
    }
}

impl fmt::Display for Checkpoint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_parts(&self.bytes().parts(), f)
    }
}

/// The text of a checkpoint, ready to be signed or compared.
pub(super) struct TextBytes<'a> {
    origin: KeyName<'a>,
    size: Decimal,
    root: [u8; 44],
    extensions: &'a str,
}

impl TextBytes<'_> {
    pub(super) fn parts(&self) -> [&[u8]; 7] {
        let (origin, extensions) = (self.origin.as_str().as_bytes(), self.extensions.as_bytes());
        [origin, b"\n", self.size.as_bytes(), b"\n", &self.root, b"\n", extensions]
    }
}

pub(super) fn write_parts(parts: &[&[u8]], f: &mut impl fmt::Write) -> fmt::Result {
    parts
        .iter()
        .try_for_each(|part| f.write_str(core::str::from_utf8(part).map_err(|_| fmt::Error)?))
}

//! Signed notes (c2sp.org/signed-note).

use super::error::NoteError;
use super::lines;
use super::signature::NoteSignature;

/// A text and its signature lines, as the bytes say. Nothing is verified: see `LogPolicy::open`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Note<'a> {
    text: &'a str,
    /// Lines with their newlines, each read once already.
    signatures: &'a str,
}

impl<'a> Note<'a> {
    /// The most bytes of a note: a million, as Go's package `note` has it.
    pub const MAX_LEN: usize = 1_000_000;
    /// The most signatures of a note: 100, likewise.
    pub const MAX_SIGNATURES: usize = 100;

    /// Reads a note: all of the bytes, and nothing else.
    ///
    /// # Errors
    ///
    /// [`NoteError`]: `TooLarge`, `Text` for bytes that are not UTF-8 or a control character other than
    /// newline, `Unsigned` where no empty line is followed by lines, `SignatureLine`, `Name`,
    /// `TooManySignatures`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, NoteError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(NoteError::TooLarge);
        }
        let note = core::str::from_utf8(bytes).map_err(|_| NoteError::Text)?;
        if note.chars().any(|c| c.is_control() && c != '\n') {
            return Err(NoteError::Text);
        }
        // The last empty line: the text ends before it, its own newline included.
        let ends = bytes.windows(2).rposition(|pair| pair == b"\n\n").ok_or(NoteError::Unsigned)?;
        let (text, rest) =
            note.split_at_checked(ends.saturating_add(1)).ok_or(NoteError::Unsigned)?;
        let signatures = rest.strip_prefix('\n').ok_or(NoteError::Unsigned)?;

        let (mut rest, mut count) = (signatures, 0_usize);
        while !rest.is_empty() {
            NoteSignature::parse(lines::next(&mut rest).ok_or(NoteError::SignatureLine)?)?;
            count = count.saturating_add(1);
            if count > Self::MAX_SIGNATURES {
                return Err(NoteError::TooManySignatures);
            }
        }
        if count == 0 {
            return Err(NoteError::Unsigned);
        }
        Ok(Self { text, signatures })
    }

    /// What is signed, its last newline included.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The signatures, as their lines say.
    pub fn signatures(&self) -> impl Iterator<Item = NoteSignature<'a>> + use<'a> {
        let mut rest = self.signatures;
        // Every line was read before: nothing here can fail.
        core::iter::from_fn(move || NoteSignature::parse(lines::next(&mut rest)?).ok())
    }
}

/// Writes the note as it was read.
impl core::fmt::Display for Note<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text)?;
        f.write_str("\n")?;
        f.write_str(self.signatures)
    }
}

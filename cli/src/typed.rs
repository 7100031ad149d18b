//! Commands that are shown, as a shell takes them.

use std::fmt::{self, Display};
use std::path::Path;

use shlex::Quoter;

/// A file's name as an argument: never taken for an option, nor for several.
pub(crate) struct Quoted<'a>(pub(crate) &'a Path);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.display().to_string();
        if name.starts_with('-') {
            f.write_str("./")?;
        }
        word(&name).fmt(f)
    }
}

/// A word as an argument.
pub(crate) fn word(text: &str) -> String {
    // Only a zero byte cannot be quoted, and no argument has one.
    Quoter::new().allow_nul(true).quote(text).map_or_else(|_| text.to_owned(), Into::into)
}

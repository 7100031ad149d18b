//! A verdict as it is told: with the file that holds what the ledger was held
//! to, and with what can be done about it.

use std::fmt;
use std::ops::Deref;
use std::path::Path;

use serde::{Serialize, Serializer};

use crate::verdict::Verdict;

/// What [`Error::Ledger`](crate::Error::Ledger) carries: the [`Verdict`], as which
/// it may be used, and where this client's log lies if it is about that.
///
/// As JSON it is the verdict's, and `log` beside it. Its text is the verdict's
/// with the file and a remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Evidence {
    #[serde(flatten)]
    verdict: Box<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "as_text")]
    log: Option<Box<Path>>,
}

impl Evidence {
    /// What is wrong.
    pub fn into_verdict(self) -> Verdict {
        *self.verdict
    }

    /// This client's log, for an embedded ledger the trust file, where the verdict
    /// is about what that holds, or lacks; else `None`, as in memory.
    pub fn log(&self) -> Option<&Path> {
        self.log.as_deref()
    }

    /// Says which log it was held against, unless that is said already.
    pub(crate) fn naming_log(mut self, log: &Path) -> Self {
        let about_it = matches!(
            *self.verdict,
            Verdict::FirstContact { .. }
                | Verdict::PinLost { .. }
                | Verdict::Missing { .. }
                | Verdict::Recreated { .. }
                | Verdict::Rollback { .. }
                | Verdict::Fork { .. }
                | Verdict::ExtendsPin { .. }
                | Verdict::LogAltered { .. }
        );
        if about_it {
            self.log.get_or_insert_with(|| log.into());
        }
        self
    }

    /// What to do about a ledger that does not hold what it did.
    fn remedy(&self) -> &'static str {
        match *self.verdict {
            Verdict::RowAltered { .. }
            | Verdict::RowMissing { .. }
            | Verdict::SurplusRows { .. }
            | Verdict::EntriesAltered { .. }
            | Verdict::Rollback { .. }
            | Verdict::Fork { .. } => {
                "; keep the ledger and its log (trust file) as they are, they are the evidence: an \
                 audit names all that is wrong, docs/backup.md tells how to restore"
            }
            _ => "",
        }
    }
}

impl From<Verdict> for Evidence {
    fn from(verdict: Verdict) -> Self {
        Self { verdict: Box::new(verdict), log: None }
    }
}

impl Deref for Evidence {
    type Target = Verdict;

    fn deref(&self) -> &Verdict {
        &self.verdict
    }
}

impl fmt::Display for Evidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.verdict, self.remedy())?;
        match (&self.log, &*self.verdict) {
            (None, _) => Ok(()),
            (Some(log), Verdict::FirstContact { .. }) => write!(
                f,
                ". There is nothing of it in {}; a ledger that was moved has its trust file \
                 elsewhere: name that as `file` in [trust] (--trust)",
                log.display()
            ),
            (Some(log), _) => write!(f, " (the log, or trust file: {})", log.display()),
        }
    }
}

impl std::error::Error for Evidence {}

/// A name that is no text must not cost the verdict.
fn as_text<S: Serializer>(log: &Option<Box<Path>>, serializer: S) -> Result<S::Ok, S::Error> {
    log.as_ref().map(|log| log.display().to_string()).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use counterfoil_core::{Alh, TrustedState, TxId};

    use super::*;

    #[test]
    fn what_is_told_names_the_file_and_the_remedy() {
        let (log, other) = (Path::new("/its/log"), Path::new("/other"));
        let pinned = TrustedState { tx: TxId::new(2), alh: Alh::new([2; 32]) };
        let told = |verdict: Verdict| Evidence::from(verdict).naming_log(log).naming_log(other);
        for (verdict, named, remedied) in [
            (Verdict::FirstContact { ledger: pinned.alh, state: pinned }, true, false),
            (Verdict::Missing { pinned }, true, false),
            (Verdict::LogAltered { what: "it".into() }, true, false),
            (Verdict::Rollback { pinned, found: None }, true, true),
            (Verdict::Fork { pinned, found: pinned }, true, true),
            (Verdict::RowAltered { tx: pinned.tx, entry: 0 }, false, true),
            (Verdict::RowMissing { tx: pinned.tx, entry: 0 }, false, true),
            (Verdict::MissingTx { tx: pinned.tx }, false, false),
        ] {
            let evidence = told(verdict.clone());
            let text = evidence.to_string();
            assert!(text.starts_with(&verdict.to_string()), "{text}");
            assert_eq!(text.contains("/its/log"), named, "{text}");
            assert_eq!(text.contains("audit"), remedied, "{text}");
            let mut json = serde_json::to_value(&evidence).unwrap();
            let log = json.as_object_mut().unwrap().remove("log");
            assert_eq!(log, named.then(|| "/its/log".into()));
            assert_eq!(json, serde_json::to_value(&verdict).unwrap());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_is_no_text_costs_no_verdict() {
        use std::os::unix::ffi::OsStrExt as _;
        let name = Path::new(std::ffi::OsStr::from_bytes(b"/its/\xff"));
        let evidence = Evidence::from(Verdict::LogAltered { what: "it".into() }).naming_log(name);
        let json = serde_json::to_value(&evidence).unwrap();
        assert_eq!(json["verdict"], "log_altered");
        assert_eq!(json["log"], "/its/\u{fffd}");
    }
}

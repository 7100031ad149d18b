//! What a policy amounts to.

use std::fmt;

use counterfoil_core::{Alh, TrustedState};
use serde::Serialize;

use super::TrustPolicy;

/// What a policy amounts to, at a glance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PolicySummary {
    /// The ledger.
    pub ledger: Alh,
    /// The number of the table of events, if it names one.
    pub table: Option<u32>,
    /// How many states are pinned.
    pub pins: usize,
    /// The newest of them.
    pub newest_pin: Option<TrustedState>,
    /// How many keys of the server count.
    pub state_keys: usize,
    /// How many keys of logs count.
    pub logs: usize,
    /// How many witnesses are known.
    pub witnesses: usize,
    /// The witness or group that must have cosigned. `none` where the log's signature is enough,
    /// `None` where no log is named.
    pub quorum: Option<String>,
    /// How many authors are listed.
    pub authors: usize,
    /// Whether an event must be signed by one of them.
    pub require_author: bool,
}

impl TrustPolicy {
    /// What it amounts to.
    pub fn summary(&self) -> PolicySummary {
        PolicySummary {
            ledger: self.ledger,
            table: self.table,
            pins: self.pins().count(),
            newest_pin: self.pins().max_by_key(|pin| pin.tx),
            state_keys: self.state_keys.len(),
            logs: self.witnessing.logs.len(),
            witnesses: self.witnessing.witnesses.len(),
            quorum: self.witnessing.quorum_name().map(Into::into),
            authors: self.authors.len(),
            require_author: self.require_author,
        }
    }
}

impl fmt::Display for PolicySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ledger {}", self.ledger)?;
        if let Some(table) = self.table {
            write!(f, ", table {table}")?;
        }
        let counted = |f: &mut fmt::Formatter<'_>, count: usize, one: &str, many: &str| match count
        {
            0 => Ok(()),
            1 => write!(f, ", 1 {one}"),
            count => write!(f, ", {count} {many}"),
        };
        counted(f, self.pins, "pin", "pins")?;
        if let Some(newest) = self.newest_pin {
            write!(f, " (newest {})", newest.tx)?;
        }
        counted(f, self.state_keys, "state key", "state keys")?;
        counted(f, self.logs, "log", "logs")?;
        counted(f, self.witnesses, "witness", "witnesses")?;
        if let Some(quorum) = &self.quorum {
            write!(f, ", quorum {quorum}")?;
        }
        counted(f, self.authors, "author", "authors")?;
        if self.require_author {
            f.write_str(", who must have signed")?;
        }
        if self.pins == 0 && self.state_keys == 0 && self.logs == 0 {
            f.write_str("; nothing vouches for anything: no receipt will be verified")?;
        }
        Ok(())
    }
}

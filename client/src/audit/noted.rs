//! What did not hold, as much of it as a report lists.

use super::report::{AuditReport, Inconsistency};

/// Inconsistencies in the order of their transactions.
#[derive(Default)]
pub(super) struct Noted {
    listed: Vec<Inconsistency>,
    total: u64,
}

impl Noted {
    pub(super) fn add(&mut self, one: Inconsistency) {
        self.total += 1;
        if self.listed.len() < AuditReport::MOST_LISTED {
            self.listed.push(one);
        }
    }

    /// So many more that are not listed.
    pub(super) fn add_unlisted(&mut self, more: u64) {
        self.total += more;
    }

    /// How many there are, listed or not.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The first of them.
    pub(super) fn into_listed(self) -> Vec<Inconsistency> {
        self.listed
    }
}

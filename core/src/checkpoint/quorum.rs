//! Which witnesses must have cosigned (c2sp.org/tlog-policy).

use super::error::QuorumError;
use super::key::WitnessKey;

/// A witness or a group of a [`Quorum`], by its place in the quorum's list, from 0.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Member {
    /// A witness: it counts if it has cosigned.
    Witness(usize),
    /// A group: it counts if enough of its members count.
    Group(usize),
}

/// So many of these members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group<'a> {
    /// How many must count: 1 ("any") to all of them.
    pub threshold: usize,
    /// The members. Groups among them stand before this one in the quorum's list.
    pub members: &'a [Member],
}

/// Which witnesses must have cosigned a checkpoint. Without the log's own signature a quorum is
/// nothing: see [`LogPolicy`](super::LogPolicy).
#[derive(Clone, Copy, Debug)]
pub struct Quorum<'a> {
    witnesses: &'a [WitnessKey<'a>],
    groups: &'a [Group<'a>],
    root: Member,
    /// Those of the witnesses on whom `root` depends, a bit each.
    counted: u64,
}

impl<'a> Quorum<'a> {
    /// The most witnesses, and the most groups.
    pub const MAX: usize = 64;

    /// The quorum that is met where `root` counts. Witnesses on whom it does not depend are known and
    /// count for nothing.
    ///
    /// # Errors
    ///
    /// [`QuorumError`]: `TooMany`, `DuplicateKey`, `SameId`, `Threshold`, `Unknown`, `DuplicateMember`.
    pub fn new(
        witnesses: &'a [WitnessKey<'a>],
        groups: &'a [Group<'a>],
        root: Member,
    ) -> Result<Self, QuorumError> {
        if witnesses.len() > Self::MAX || groups.len() > Self::MAX {
            return Err(QuorumError::TooMany);
        }
        for (count, witness) in witnesses.iter().enumerate() {
            for other in witnesses.iter().take(count) {
                if other.key() == witness.key() {
                    return Err(QuorumError::DuplicateKey);
                }
                if other.id() == witness.id() && other.name() == witness.name() {
                    return Err(QuorumError::SameId);
                }
            }
        }
        let defined = |member: Member, before: usize| match member {
            Member::Witness(place) => place < witnesses.len(),
            Member::Group(place) => place < before,
        };
        let mut seen = Set::default();
        for (place, group) in groups.iter().enumerate() {
            if group.threshold == 0 || group.threshold > group.members.len() {
                return Err(QuorumError::Threshold { group: place });
            }
            for &member in group.members {
                if !defined(member, place) {
                    return Err(QuorumError::Unknown);
                }
                if seen.has(member) {
                    return Err(QuorumError::DuplicateMember);
                }
                seen.add(member);
            }
        }
        if !defined(root, groups.len()) {
            return Err(QuorumError::Unknown);
        }
        // From the last group to the first: a group's members stand before it.
        let mut counted = Set::default();
        counted.add(root);
        for (place, group) in groups.iter().enumerate().rev() {
            if counted.has(Member::Group(place)) {
                group.members.iter().for_each(|&member| counted.add(member));
            }
        }
        Ok(Self { witnesses, groups, root, counted: counted.witnesses })
    }

    /// The witnesses.
    pub const fn witnesses(&self) -> &'a [WitnessKey<'a>] {
        self.witnesses
    }

    /// How many witnesses it depends on.
    pub fn size(&self) -> u8 {
        count(self.counted)
    }

    /// How many of those it depends on are among `signed`, which has a bit for each of its witnesses,
    /// and whether they are enough.
    pub(super) fn met(&self, signed: u64) -> (u8, bool) {
        let mut counts = Set { witnesses: signed, groups: 0 };
        for (place, group) in self.groups.iter().enumerate() {
            let members = group.members.iter().filter(|&&member| counts.has(member)).count();
            if members >= group.threshold {
                counts.add(Member::Group(place));
            }
        }
        (count(signed & self.counted), counts.has(self.root))
    }
}

/// At most 64.
fn count(bits: u64) -> u8 {
    u8::try_from(bits.count_ones()).unwrap_or(u8::MAX)
}

/// Witnesses and groups, a bit each.
#[derive(Default)]
struct Set {
    witnesses: u64,
    groups: u64,
}

impl Set {
    fn has(&self, member: Member) -> bool {
        match member {
            Member::Witness(place) => self.witnesses & bit(place) != 0,
            Member::Group(place) => self.groups & bit(place) != 0,
        }
    }

    fn add(&mut self, member: Member) {
        match member {
            Member::Witness(place) => self.witnesses |= bit(place),
            Member::Group(place) => self.groups |= bit(place),
        }
    }
}

/// The bit of a place: none beyond the last, which nothing has.
pub(super) fn bit(place: usize) -> u64 {
    u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place)).unwrap_or(0)
}

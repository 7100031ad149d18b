//! The way from a node of a tree up to a root.
//!
//! Its shape follows from two numbers alone. Let `index` be a leaf and `last` the last leaf of the
//! tree. Up to the level where the two meet, bit i of `index` says on which side of the running
//! hash term i stands (set: the term is on the left). Above that level the running hash is the
//! right edge of the tree, and each remaining set bit of `index` gives one term on the left. RFC
//! 9162 says the same with two shifting counters (`fn` and `sn`).

use core::slice;

use crate::digest::{node_hash, node_hashes};

/// The shape of a path from `index` to the root of a tree whose last leaf is `last`.
#[derive(Clone, Copy)]
pub(super) struct Shape {
    index: u64,
    /// Terms below the level where `index` and `last` meet.
    inner: u32,
    /// Terms above it, all on the left.
    border: u32,
}

impl Shape {
    /// The caller has checked that `index <= last`.
    pub(super) fn new(index: u64, last: u64) -> Self {
        // At most 64, so neither count below can overflow.
        let inner = u64::BITS.saturating_sub((index ^ last).leading_zeros());
        let border = index.checked_shr(inner).unwrap_or(0).count_ones();
        Self { index, inner, border }
    }

    /// At most 64.
    pub(super) fn len(self) -> usize {
        usize::try_from(self.inner.saturating_add(self.border)).unwrap_or(usize::MAX)
    }
}

/// The terms of a path, from the leaf upwards, wherever they are.
#[derive(Clone)]
pub(crate) enum Terms<'p> {
    /// One behind the other.
    Laid(slice::Iter<'p, [u8; 32]>),
    /// Each in its place.
    Found(slice::Iter<'p, &'p [u8; 32]>),
}

impl<'p> From<&'p [[u8; 32]]> for Terms<'p> {
    fn from(terms: &'p [[u8; 32]]) -> Self {
        Self::Laid(terms.iter())
    }
}

impl<'p> Terms<'p> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Laid(terms) => terms.len(),
            Self::Found(terms) => terms.len(),
        }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Option<&'p [u8; 32]> {
        match self {
            Self::Laid(terms) => terms.next(),
            Self::Found(terms) => terms.next().copied(),
        }
    }
}

/// A running hash on its way up, and the terms that it is still to meet.
///
/// Two climbs do not wait for each other: see [`both`].
pub(crate) struct Climb<'p> {
    hash: [u8; 32],
    shape: Shape,
    path: Terms<'p>,
    only_left: bool,
}

impl<'p> Climb<'p> {
    /// From `hash` along `path`, whose length is the shape's: the caller has checked it.
    pub(super) fn new(hash: [u8; 32], shape: Shape, path: Terms<'p>) -> Self {
        Self { hash, shape, path, only_left: false }
    }

    /// The same way, meeting only what stands on the left: what an older tree has of a newer one's path.
    pub(super) fn on_the_left(self) -> Self {
        Self { only_left: true, ..self }
    }

    /// The next term, and whether it stands on the left.
    #[inline]
    fn next(&mut self) -> Option<(&'p [u8; 32], bool)> {
        loop {
            let term = self.path.next()?;
            let on_the_left = self.next_is_on_the_left();
            if on_the_left || !self.only_left {
                return Some((term, on_the_left));
            }
        }
    }

    /// The node above, left child and right.
    #[inline]
    fn node<'n>(
        &'n self,
        (term, on_the_left): (&'n [u8; 32], bool),
    ) -> (&'n [u8; 32], &'n [u8; 32]) {
        if on_the_left { (term, &self.hash) } else { (&self.hash, term) }
    }

    #[inline]
    fn next_is_on_the_left(&mut self) -> bool {
        let Some(inner) = self.shape.inner.checked_sub(1) else { return true };
        let on_the_left = self.shape.index & 1 == 1;
        self.shape.inner = inner;
        self.shape.index >>= 1;
        on_the_left
    }

    /// The root over all leaves before the one that the way began at: the terms on the left are the
    /// whole trees that these leaves make, the smallest first. `None` if there are none.
    #[cfg(feature = "ed25519")]
    pub(super) fn root_of_the_left(self) -> Option<[u8; 32]> {
        let mut climb = self.on_the_left();
        let (smallest, _) = climb.next()?;
        climb.hash = *smallest;
        Some(*climb.root())
    }

    /// Goes all the way: the root.
    pub(super) fn root(&mut self) -> &[u8; 32] {
        while let Some(term) = self.next() {
            let (left, right) = self.node(term);
            self.hash = node_hash(left, right);
        }
        &self.hash
    }
}

/// Goes up with two climbs until one is at its root, hashed side by side: that takes three quarters of
/// the time of one after the other.
pub(super) fn both(a: &mut Climb<'_>, b: &mut Climb<'_>) {
    while let Some(term_a) = a.next() {
        let Some(term_b) = b.next() else {
            let (left, right) = a.node(term_a);
            a.hash = node_hash(left, right);
            break;
        };
        (a.hash, b.hash) = node_hashes(a.node(term_a), b.node(term_b));
    }
}

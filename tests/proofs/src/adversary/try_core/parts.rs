//! The parts of which a proof is put together.

/// A part of a proof: what it could be, and the first of it that the second verifier takes.
pub(super) struct Part<T> {
    pub(super) all: Vec<T>,
    pub(super) good: Option<usize>,
}

impl<T: Clone> Part<T> {
    pub(super) fn new(all: Vec<T>, holds: impl Fn(&T) -> bool) -> Self {
        let good = all.iter().position(holds);
        Self { all, good }
    }

    pub(super) fn best(&self) -> T {
        self.all[self.good.unwrap_or(0)].clone()
    }

    pub(super) fn bad(&self) -> usize {
        usize::from(self.good.is_none())
    }

    /// The proofs that differ from `base` in this part: none where another part fails, because
    /// then they would be refused whatever this part is.
    pub(super) fn vary<P: Clone>(
        &self,
        base: &P,
        failing: usize,
        set: impl Fn(&mut P, T),
    ) -> Vec<P> {
        if failing > self.bad() {
            return Vec::new();
        }
        let proof = |part: &T| {
            let mut proof = base.clone();
            set(&mut proof, part.clone());
            proof
        };
        self.all.iter().map(proof).collect()
    }
}

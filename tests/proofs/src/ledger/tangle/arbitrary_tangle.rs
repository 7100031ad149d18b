//! Tangles by choice.

use arbitrary::{Result, Unstructured};
use counterfoil_core::HeaderVersion;

use super::{Hash, OwnedHeader, Tangle, leaf};
use crate::ledger::bytes_of_seed;

/// How large a tangle may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// The largest number.
    pub transactions: u64,
    /// How many transactions may stand under one number.
    pub variants: usize,
}

/// More than any tangle of the sizes used here takes.
const BYTES_OF_CHOICES: usize = 1 << 14;

impl Tangle {
    /// The tangle that a number stands for.
    pub fn of_seed(seed: u64, size: Size) -> Self {
        let bytes = bytes_of_seed(seed, BYTES_OF_CHOICES);
        Self::arbitrary(&mut Unstructured::new(&bytes), size)
            .expect("Unstructured that runs out of bytes chooses the first of everything")
    }

    /// Likewise, and its transactions hold these digests: each a list of them, in version 0 and in
    /// version 1, or nearly so.
    pub fn of_seed_with(seed: u64, size: Size, scripts: &[[Vec<Hash>; 2]]) -> Self {
        let bytes = bytes_of_seed(seed, BYTES_OF_CHOICES);
        let tangle = Self { scripts: scripts.to_vec(), ..Self::default() };
        tangle.grow(&mut Unstructured::new(&bytes), size).expect("as above")
    }

    /// A tangle.
    ///
    /// Most of its transactions are nearly honest: the more of a proof holds, the more depends on
    /// the one check that does not.
    ///
    /// # Errors
    ///
    /// Those of [`Unstructured`].
    pub fn arbitrary(u: &mut Unstructured<'_>, size: Size) -> Result<Self> {
        Self::default().grow(u, size)
    }

    fn grow(mut self, u: &mut Unstructured<'_>, size: Size) -> Result<Self> {
        let last = u.int_in_range(2..=size.transactions)?;
        for id in 1..=last {
            for _ in 0..u.int_in_range(1..=size.variants)? {
                self.push_arbitrary(u, id)?;
            }
        }
        // These may hold what was made after their numbers.
        for _ in 0..u.int_in_range(0..=2)? {
            let id = u.int_in_range(1..=last)?;
            self.push_arbitrary(u, id)?;
        }
        Ok(self)
    }

    fn push_arbitrary(&mut self, u: &mut Unstructured<'_>, id: u64) -> Result<()> {
        let mut header = self.header(u, id)?;
        if !self.scripts.is_empty() {
            self.choose_script(u, &mut header)?;
        }
        if header.version == HeaderVersion::V0 && u.ratio(1, 4)? {
            self.push(twin(u, &header)?);
        }
        self.push(header);
        Ok(())
    }

    fn header(&mut self, u: &mut Unstructured<'_>, id: u64) -> Result<OwnedHeader> {
        let prev_alh = self.predecessor(u, id)?;
        let bl_tx_id = match u.int_in_range(0..=15)? {
            0..=6 => id - 1,
            7..=14 => u.int_in_range(0..=id - 1)?,
            // No header can state this.
            _ => u.int_in_range(id..=id + 2)?,
        };
        let bl_root = self.transactions_tree(u, prev_alh, bl_tx_id)?;
        let (nentries, eh) = self.entries_tree(u, id)?;
        let version = if u.ratio(1, 8)? { HeaderVersion::V0 } else { HeaderVersion::V1 };
        let metadata = version == HeaderVersion::V1 && u.ratio(1, 8)?;
        Ok(OwnedHeader {
            id,
            prev_alh,
            ts: u.int_in_range(0..=3)?,
            version,
            truncated_tx_id: if metadata { u.arbitrary()? } else { None },
            extra: if metadata && u.ratio(1, 2)? { Some(vec![0; 3]) } else { None },
            nentries,
            eh,
            bl_tx_id,
            bl_root,
        })
    }

    fn predecessor(&self, u: &mut Unstructured<'_>, id: u64) -> Result<Hash> {
        let all: Vec<_> = self.variants.iter().map(|known| (known.header.id, known.alh)).collect();
        let before: Vec<_> = all.iter().filter(|(known, _)| *known + 1 == id).collect();
        if before.is_empty() {
            return Ok(crate::reference::root(&[]));
        }
        Ok(if u.ratio(1, 32)? { u.choose(&all)?.1 } else { u.choose(&before)?.1 })
    }

    /// A tree of which the header says that it is over the first `claimed` transactions.
    fn transactions_tree(
        &mut self,
        u: &mut Unstructured<'_>,
        prev_alh: Hash,
        claimed: u64,
    ) -> Result<Hash> {
        let leaves = self.transactions(u, prev_alh, claimed)?;
        if leaves.is_empty() && u.ratio(7, 8)? {
            return Ok([0; 32]);
        }
        if !self.variants.is_empty() && u.ratio(1, 16)? {
            let other = &u.choose(&self.variants)?.header;
            return Ok(if u.ratio(1, 2)? { other.bl_root } else { other.eh });
        }
        let leaves: Vec<Hash> = leaves.into_iter().map(|alh| self.leaf(alh)).collect();
        self.bent(u, &leaves)
    }

    /// The transactions in a tree: those of the chain, those of the tree of one of them and then
    /// others, or any.
    fn transactions(
        &self,
        u: &mut Unstructured<'_>,
        prev_alh: Hash,
        claimed: u64,
    ) -> Result<Vec<Hash>> {
        let mut chain = self.back(prev_alh, self.variants.len());
        chain.retain(|alh| self.by_alh(alh).is_some());
        chain.reverse();
        let under = |id: u64| {
            let variants = self.variants.iter().filter(move |known| known.header.id == id);
            variants.map(|known| known.alh).collect::<Vec<_>>()
        };
        let mut leaves: Vec<Hash> = match u.int_in_range(0..=7)? {
            0..=3 if !chain.is_empty() => {
                let earlier = self.by_alh(u.choose(&chain)?);
                earlier.map_or_else(Vec::new, |earlier| earlier.in_tree.clone())
            }
            4 => (1..=u.int_in_range(0..=claimed)?).filter_map(|id| under(id).pop()).collect(),
            _ => Vec::new(),
        };
        let honest = u.ratio(1, 2)?;
        let real = if u.ratio(1, 8)? { u.int_in_range(0..=claimed + 2)? } else { claimed };
        leaves.truncate(real as usize);
        // Which transaction's turn it is: not the next place's where one was left out or doubled.
        let mut id = leaves.len() as u64 + 1;
        while (leaves.len() as u64) < real {
            if u.ratio(1, 24)? {
                id = if u.ratio(1, 2)? { id + 1 } else { id.max(2) - 1 };
            }
            let here = under(id);
            let next = match chain.get(id as usize - 1) {
                Some(alh) if honest || u.ratio(1, 2)? => *alh,
                _ if !here.is_empty() => *u.choose(&here)?,
                _ if self.variants.is_empty() => break,
                _ => u.choose(&self.variants)?.alh,
            };
            leaves.push(next);
            id += 1;
        }
        if u.ratio(1, 16)? && leaves.len() > 1 {
            let (a, b) = (u.choose_index(leaves.len())?, u.choose_index(leaves.len())?);
            leaves.swap(a, b);
        }
        Ok(leaves)
    }

    /// The tree over these leaves as it should be or, now and then, with leaves where nodes belong
    /// and nodes where leaves belong.
    fn bent(&mut self, u: &mut Unstructured<'_>, leaves: &[Hash]) -> Result<Hash> {
        if u.ratio(5, 8)? {
            return Ok(self.nodes.tree(leaves));
        }
        let mut known: Vec<Hash> =
            self.variants.iter().map(|variant| leaf(&variant.alh)).chain(leaves.to_vec()).collect();
        known.extend(self.nodes.all());
        let mut choose = |nodes: &mut crate::ledger::Nodes, hash: Hash| -> Result<Hash> {
            Ok(match u.int_in_range(0..=23)? {
                0 => *u.choose(&known)?,
                1 => nodes.node(hash, *u.choose(&known)?),
                2 => nodes.node(*u.choose(&known)?, hash),
                _ => hash,
            })
        };
        let mut bend = |nodes: &mut crate::ledger::Nodes, hash| choose(nodes, hash).unwrap_or(hash);
        Ok(self.nodes.tree_with(leaves, &mut bend))
    }

    /// Entries that say something, in a header of either version.
    fn choose_script(&mut self, u: &mut Unstructured<'_>, header: &mut OwnedHeader) -> Result<()> {
        if header.truncated_tx_id.is_none() && header.extra.is_none() && u.ratio(1, 2)? {
            header.version = HeaderVersion::V0;
        }
        let own = usize::from(header.version == HeaderVersion::V1);
        let version = if u.ratio(1, 3)? { 1 - own } else { own };
        let mut digests = u.choose(&self.scripts)?[version].clone();
        if u.ratio(1, 8)? {
            let other = u.choose(&self.scripts)?[version].clone();
            digests.extend(other.first());
        }
        header.nentries = digests.len().max(1) as u32;
        if u.ratio(1, 16)? {
            header.nentries += 1;
        }
        let leaves: Vec<Hash> = digests.into_iter().map(|digest| self.leaf(digest)).collect();
        header.eh = self.bent(u, &leaves)?;
        Ok(())
    }

    /// The count of entries that the header states, and the tree over what entries there are.
    fn entries_tree(&mut self, u: &mut Unstructured<'_>, id: u64) -> Result<(u32, Hash)> {
        let claimed: u32 = if u.ratio(1, 2)? { 1 } else { u.int_in_range(1..=4)? };
        let real = if u.ratio(3, 4)? { claimed } else { u.int_in_range(1..=5)? };
        let mut leaves = Vec::new();
        for _ in 0..real {
            let transactions = &self.variants;
            let digest = if !transactions.is_empty() && u.ratio(1, 16)? {
                // Hashes of another meaning.
                u.choose(transactions)?.alh
            } else {
                let mut digest = [0xe0; 32];
                digest[0] = id as u8;
                digest[1] = u.int_in_range(0..=9)?;
                digest
            };
            leaves.push(self.leaf(digest));
        }
        let nentries = if u.ratio(1, 64)? { 0 } else { claimed };
        Ok((nentries, self.bent(u, &leaves)?))
    }
}

/// Another header with the same hash: version 0 cuts the count of entries and hashes no metadata.
/// No header can state this.
fn twin(u: &mut Unstructured<'_>, header: &OwnedHeader) -> Result<OwnedHeader> {
    let mut twin = header.clone();
    if u.ratio(1, 2)? {
        twin.nentries += 1 << 16;
    } else {
        twin.extra = Some(vec![1]);
    }
    Ok(twin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_always_the_same_tangle_and_no_choices_are_one_too() {
        let size = Size { transactions: 6, variants: 3 };
        let hashes = |tangle: &Tangle| -> Vec<Hash> {
            tangle.variants().iter().map(|variant| variant.alh).collect()
        };
        assert_eq!(hashes(&Tangle::of_seed(7, size)), hashes(&Tangle::of_seed(7, size)));
        assert_ne!(hashes(&Tangle::of_seed(7, size)), hashes(&Tangle::of_seed(8, size)));
        assert!(Tangle::arbitrary(&mut Unstructured::new(&[]), size).is_ok());
    }
}

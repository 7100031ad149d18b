//! Consistency of all pairs of small trees, against the definition, in both forms.

mod reference;

use counterfoil_core::{
    Root, TreeError, TreeSize, consistency_path_len, verify_consistency, verify_consistency_immudb,
};
use reference::{Hash, consistency, flip, leaves, node, reshaped, root, roots_from_consistency};

const SIZES: usize = 130;

/// The two forms of a proof.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    Rfc,
    Immudb,
}

use Form::{Immudb, Rfc};

impl Form {
    fn verify(
        self,
        m: u64,
        old: &Hash,
        n: u64,
        new: &Hash,
        proof: &[Hash],
    ) -> Result<(), TreeError> {
        let verify = match self {
            Rfc => verify_consistency,
            Immudb => verify_consistency_immudb,
        };
        verify(TreeSize::new(m), &Root::new(*old), TreeSize::new(n), &Root::new(*new), proof)
    }

    /// PROOF(m, D[n]) as this form writes it between different sizes.
    fn write(self, m: u64, old: &Hash, proof: Vec<Hash>) -> Vec<Hash> {
        if self == Immudb && m.is_power_of_two() { [vec![*old], proof].concat() } else { proof }
    }

    /// Whether the statement is true, by the definition of PROOF.
    fn truth(self, m: u64, old: &Hash, n: u64, new: &Hash, proof: &[Hash]) -> bool {
        let proof = match (self, proof) {
            (Immudb, [] | [_, _]) if m == n && m > 0 => {
                let children = match proof {
                    [right, left] => m > 1 && node(left, right) == *old,
                    _ => true,
                };
                return old == new && children;
            }
            (Immudb, [first, rest @ ..]) if m != n && m.is_power_of_two() => {
                if first != old {
                    return false;
                }
                rest
            }
            (Immudb, []) if m.is_power_of_two() => return false,
            _ => proof,
        };
        roots_from_consistency(m, n, proof, old) == Some((*old, *new))
    }
}

/// Calls `visit` with every pair of sizes: old size and root, new size and root, proof.
fn every_pair(form: Form, sizes: usize, mut visit: impl FnMut(u64, &Hash, u64, &Hash, &[Hash])) {
    let all = leaves(sizes);
    let roots: Vec<Hash> = (0..=sizes).map(|n| root(&all[..n])).collect();
    for n in 1..=sizes {
        for m in 1..=n {
            let proof = consistency(m, &all[..n]);
            let proof = if m == n { proof } else { form.write(m as u64, &roots[m], proof) };
            visit(m as u64, &roots[m], n as u64, &roots[n], &proof);
        }
    }
}

#[test]
fn every_honest_proof_is_accepted_and_has_the_stated_length() {
    for form in [Rfc, Immudb] {
        every_pair(form, SIZES, |m, old, n, new, proof| {
            assert_eq!(form.verify(m, old, n, new, proof), Ok(()), "{form:?} {m} to {n}");
            assert!(form.truth(m, old, n, new, proof), "{form:?} {m} to {n}");
            if form == Rfc {
                let len = consistency_path_len(TreeSize::new(m), TreeSize::new(n));
                assert_eq!(len, Some(proof.len()), "{m} to {n}");
            }
        });
    }
}

fn every_flipped_bit_is_refused(form: Form) {
    every_pair(form, SIZES, |m, old, n, new, proof| {
        flip(old, |old| assert!(form.verify(m, &old, n, new, proof).is_err()));
        flip(new, |new| assert!(form.verify(m, old, n, &new, proof).is_err()));
        let mut flipped = proof.to_vec();
        for i in 0..proof.len() {
            flip(&proof[i], |term| {
                flipped[i] = term;
                let verdict = form.verify(m, old, n, new, &flipped);
                assert!(verdict.is_err(), "{form:?} {m} to {n}, term {i}");
            });
            flipped[i] = proof[i];
        }
    });
}

#[test]
fn every_flipped_bit_is_refused_in_the_form_of_the_rfc() {
    every_flipped_bit_is_refused(Rfc);
}

#[test]
fn every_flipped_bit_is_refused_in_immudbs_form() {
    every_flipped_bit_is_refused(Immudb);
}

#[test]
fn every_other_list_of_terms_is_refused() {
    for form in [Rfc, Immudb] {
        every_pair(form, SIZES, |m, old, n, new, proof| {
            for other in reshaped(proof) {
                let verdict = form.verify(m, old, n, new, &other);
                assert!(verdict.is_err(), "{form:?} {m} to {n}: {verdict:?}");
            }
            let swapped = form.verify(m, new, n, old, proof);
            assert_eq!(swapped.is_ok(), m == n, "{form:?} {m} to {n} with roots swapped");
        });
    }
}

/// A proof is offered for every other pair of sizes. Roots do not commit to their sizes, so some
/// such claims are true: exactly those pass that the definition of a proof makes true.
#[test]
fn of_all_claims_about_a_proof_exactly_the_true_ones_pass() {
    for form in [Rfc, Immudb] {
        let (mut true_claims, mut false_claims) = (0, 0);
        every_pair(form, 36, |m, old, n, new, proof| {
            for other_n in 0..44 {
                for other_m in 0..46 {
                    let truth = form.truth(other_m, old, other_n, new, proof);
                    let verdict = form.verify(other_m, old, other_n, new, proof).is_ok();
                    assert_eq!(
                        verdict, truth,
                        "{form:?} {m} to {n} claimed as {other_m} to {other_n}"
                    );
                    if (m, n) != (other_m, other_n) {
                        if truth { true_claims += 1 } else { false_claims += 1 }
                    }
                }
            }
        });
        assert!(true_claims > 500 && false_claims > 500_000, "{true_claims} {false_claims}");
    }
}

/// Made-up terms hold for the roots that the definition gives for them, also at sizes that no
/// ledger has.
#[test]
fn enormous_trees_follow_the_definition() {
    let terms = leaves(66);
    let old_root = reference::leaf(b"old root");
    let top = 1 << 63;
    for n in [top - 1, top, top + 1, u64::MAX - 1, u64::MAX, (1 << 32) + 1] {
        for m in [1, 2, 3, n / 3, n / 2, n / 2 + 1, n - 2, n - 1, n, top - 1, top, top + 1] {
            let (old_size, new_size) = (TreeSize::new(m), TreeSize::new(n));
            let Some(len) = consistency_path_len(old_size, new_size) else {
                assert!(m > n, "{m} to {n}");
                continue;
            };
            let proof = &terms[..len];
            let (old, new) =
                roots_from_consistency(m, n, proof, &old_root).expect("a proof of that length");
            assert_eq!(Rfc.verify(m, &old, n, &new, proof), Ok(()), "{m} to {n}");
            if m < n {
                let first = Immudb.write(m, &old, proof.to_vec());
                assert_eq!(Immudb.verify(m, &old, n, &new, &first), Ok(()), "{m} to {n}");
            }
            for other in reshaped(proof) {
                assert!(Rfc.verify(m, &old, n, &new, &other).is_err(), "{m} to {n}");
            }
            for (m, n) in
                [(m - 1, n), (m, n - 1), (m.saturating_add(1), n), (m, n.saturating_add(1)), (n, m)]
            {
                for form in [Rfc, Immudb] {
                    let truth = form.truth(m, &old, n, &new, proof);
                    assert_eq!(form.verify(m, &old, n, &new, proof).is_ok(), truth, "{m} to {n}");
                }
            }
        }
    }
}

#[test]
fn sizes_without_a_proof_are_refused() {
    let hash = reference::leaf(b"root");
    let top = 1 << 63;
    for form in [Rfc, Immudb] {
        for n in [0, 1, 2, top, u64::MAX] {
            for proof in [&[][..], &[hash], &[hash; 64]] {
                let refused = form.verify(0, &hash, n, &hash, proof);
                assert_eq!(refused, Err(TreeError::OldSizeZero), "{form:?} 0 to {n}");
            }
        }
        for (m, n) in [(1, 0), (2, 1), (top + 1, top), (u64::MAX, u64::MAX - 1), (u64::MAX, 0)] {
            let (old, new) = (TreeSize::new(m), TreeSize::new(n));
            assert_eq!(consistency_path_len(old, new), None);
            let refused = form.verify(m, &hash, n, &hash, &[]);
            assert_eq!(refused, Err(TreeError::SizesReversed { old, new }), "{form:?} {m} to {n}");
        }
    }
    assert_eq!(consistency_path_len(TreeSize::new(0), TreeSize::new(1)), None);
}

#[test]
fn between_equal_sizes_immudb_may_send_the_roots_children() {
    let all = leaves(40);
    for n in 2..=40 {
        let tree = &all[..n];
        let k = n.next_power_of_two() / 2;
        let (left, right) = (root(&tree[..k]), root(&tree[k..]));
        let (root, n) = (root(tree), n as u64);
        assert_eq!(Immudb.verify(n, &root, n, &root, &[right, left]), Ok(()));
        assert_eq!(
            Immudb.verify(n, &root, n, &root, &[left, right]),
            Err(TreeError::OldRootMismatch)
        );
        assert!(Immudb.verify(n, &root, n, &root, &[right]).is_err());
        assert!(Immudb.verify(n, &root, n, &root, &[right, left, left]).is_err());
        // The RFC knows only the empty proof between equal sizes.
        assert!(Rfc.verify(n, &root, n, &root, &[right, left]).is_err());
    }
    // A tree of one leaf has no children.
    let parent = node(&all[0], &all[1]);
    assert!(Immudb.verify(1, &parent, 1, &parent, &[all[1], all[0]]).is_err());
}

#[test]
fn the_greatest_proofs() {
    let len = |m, n| consistency_path_len(TreeSize::new(m), TreeSize::new(n));
    assert_eq!(len(1, 1), Some(0));
    assert_eq!(len(u64::MAX, u64::MAX), Some(0));
    assert_eq!(len(1, u64::MAX), Some(64));
    assert_eq!(len(3, u64::MAX), Some(65));
    assert_eq!(len(1 << 63, u64::MAX), Some(1));
    assert_eq!(len(1 << 63, (1 << 63) + 1), Some(1));
}

//! What a check proves stays what it is: no result converts into more than it shows. (That none can
//! be made without its check, the examples in the documentation that must not compile show.)

use std::marker::PhantomData;

use counterfoil_core::*;

/// Asks the compiler whether one type converts into another.
struct Converts<T, U>(PhantomData<(T, U)>);

/// The answer where there is no better one.
trait Otherwise {
    fn answer(&self) -> bool {
        false
    }
}

impl<T, U> Otherwise for Converts<T, U> {}

impl<T: TryInto<U>, U> Converts<T, U> {
    /// A method of the type itself goes before a trait's.
    fn answer(&self) -> bool {
        true
    }
}

macro_rules! converts {
    ($from:ty => $into:ty) => {
        Converts::<$from, $into>(PhantomData).answer()
    };
}

/// None of the types in the list converts into any of the others.
macro_rules! assert_none_converts {
    ($($from:ty),+ => $into:tt) => {
        $(assert_none_converts!(@ $from => $into);)+
    };
    (@ $from:ty => [$($into:ty),+]) => {
        $(assert!(
            !converts!($from => $into),
            concat!(stringify!($from), " converts into ", stringify!($into)),
        );)+
    };
}

#[test]
fn the_question_finds_what_converts() {
    assert!(converts!(TrustedState => TxAlh));
    assert!(converts!(u64 => TxId));
    assert!(converts!(u16 => HeaderVersion));
    assert!(converts!(VerifiedTx => VerifiedTx));
    assert!(!converts!(u32 => TxId));
}

#[test]
fn nothing_converts_into_a_trusted_state() {
    assert_none_converts!(
        TxAlh, ChainLink, Extension, FirstContact, SignedState<'static>, VerifiedTx, VerifiedEntry
            => [TrustedState]
    );
}

#[test]
fn nothing_converts_into_a_proof() {
    assert_none_converts!(
        TxAlh, TrustedState, ChainLink, Extension, FirstContact, SignedState<'static>, Header<'static>,
        EntryDigest, KvEntry<'static>
            => [VerifiedTx, VerifiedEntry, VerifiedKv<'static>, VerifiedTable<'static>]
    );
    assert_none_converts!(Table<'static>, VerifiedTx, VerifiedEntry => [VerifiedTable<'static>]);
    assert_none_converts!(
        TxAlh, TrustedState, VerifiedTx
            => [ChainLink, Extension, FirstContact, SignedState<'static>]
    );
    assert_none_converts!(ChainLink => [Extension, FirstContact, SignedState<'static>]);
    assert_none_converts!(Extension => [ChainLink, FirstContact, SignedState<'static>]);
    assert_none_converts!(FirstContact => [ChainLink, Extension, SignedState<'static>]);
    assert_none_converts!(VerifiedEntry => [VerifiedTx, VerifiedKv<'static>]);
}

#[test]
fn no_hash_converts_into_one_of_another_meaning() {
    assert_none_converts!(Alh => [Root, EntryDigest, LeafHash, InnerHash, ValueHash]);
    assert_none_converts!(Root => [Alh, EntryDigest, LeafHash, InnerHash, ValueHash]);
    assert_none_converts!(EntryDigest => [Alh, Root, LeafHash, InnerHash, ValueHash]);
    assert_none_converts!(LeafHash => [Alh, Root, EntryDigest, InnerHash, ValueHash]);
    assert_none_converts!(TxId => [TreeSize, LeafIndex]);
    assert_none_converts!(TreeSize => [TxId, LeafIndex]);
    assert_none_converts!(LeafIndex => [TxId, TreeSize]);
}

//! What errors say, also alone and to a reporter that walks their sources.

use std::error::Error;

use counterfoil_core::*;

fn nested() -> Vec<(Box<dyn Error>, String)> {
    let inner = TreeError::PathLength { expected: 3, found: 2 };
    let chain = ChainError::Inclusion { tx: TxId::new(7), error: inner };
    vec![
        (Box::new(chain), inner.to_string()),
        (Box::new(DualError::Inclusion(inner)), inner.to_string()),
        (Box::new(DualError::LinearAdvance(chain)), inner.to_string()),
        (
            Box::new(DualError::Header { part: Part::SourceHeader, error: HeaderError::IdZero }),
            HeaderError::IdZero.to_string(),
        ),
        (Box::new(ProofError::EntryInclusion(inner)), inner.to_string()),
        (Box::new(ProofError::Row(RowError::Truncated)), RowError::Truncated.to_string()),
        (Box::new(ProofError::Entry(EntryError::EmptyKey)), EntryError::EmptyKey.to_string()),
        (Box::new(ProofError::Catalog(CatalogError::Key)), CatalogError::Key.to_string()),
    ]
}

/// Alone or with all its sources: every word stands there once.
#[test]
fn an_inner_error_is_printed_once() {
    for (error, inner) in nested() {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        assert_eq!(text.matches(&inner).count(), 1, "{text}");
    }
}

#[test]
fn a_chain_says_what_was_asked_and_what_came() {
    let ids = |from, to| (TxId::new(from), TxId::new(to));
    let error = ChainError::Ids { expected: ids(2, 5), found: ids(1, 4) };
    assert_eq!(error.to_string(), "the chain is of transactions 1 to 4 in place of 2 to 5");
}

#[test]
fn another_hash_says_of_which_transaction() {
    let tx = TxId::new(77);
    for text in [
        ProofError::StateAlh { tx }.to_string(),
        ProofError::TxAlh { tx }.to_string(),
        DualError::HeaderAlh { part: Part::SourceHeader, tx }.to_string(),
    ] {
        assert!(text.contains("77"), "{text}");
    }
}

#[test]
fn what_a_policy_would_accept_names_it() {
    let (tx, after, up_to) = (TxId::new(5), TxId::new(2), TxId::new(4));
    let names = |error: DualError| error.to_string().contains("ProofPolicy::legacy_untied");
    assert!(names(DualError::Untied { after, up_to }));
    assert!(names(DualError::LastLeaf { tx, legacy: true }));
    assert!(!names(DualError::LastLeaf { tx, legacy: false }));
}

//! Orders and choices, tried one after another until one fits: how entries
//! stand in a transaction is shown by nobody.

use std::ops::ControlFlow;

/// Tries every order of the items from `from` on, until `fits` breaks off. They
/// stand as before at the end.
pub(crate) fn permuted<T, B>(
    items: &mut [T],
    from: usize,
    fits: &mut impl FnMut(&[T]) -> ControlFlow<B>,
) -> ControlFlow<B> {
    if from == items.len() {
        return fits(items);
    }
    for i in from..items.len() {
        items.swap(from, i);
        let found = permuted(items, from + 1, fits);
        items.swap(from, i);
        found?;
    }
    ControlFlow::Continue(())
}

/// Counts up, the last place first. `false` at the end.
pub(crate) fn advance(chosen: &mut [usize], most: impl Fn(usize) -> usize) -> bool {
    let Some(next) = (0..chosen.len()).rev().find(|place| chosen[*place] + 1 < most(*place)) else {
        return false;
    };
    chosen[next] += 1;
    chosen[next + 1..].fill(0);
    true
}

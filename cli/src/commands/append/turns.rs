//! Who is next in a stream.

use std::collections::HashMap;

use counterfoil::Cover;
use tokio::sync::oneshot::{self, Receiver, Sender, error::TryRecvError};

use super::TOGETHER;

/// The last turn that was taken in each stream.
#[derive(Default)]
pub(super) struct Turns {
    last: HashMap<Cover, Receiver<()>>,
}

/// A place behind others of the same stream.
pub(super) struct Turn {
    before: Option<Receiver<()>>,
    next: Sender<()>,
}

/// It has come. Dropped, it is passed on to nobody: all that wait behind it give up.
pub(super) struct Come(Sender<()>);

impl Turns {
    pub(super) fn take(&mut self, cover: &Cover) -> Turn {
        // Of streams in which nobody waits nothing is kept.
        if self.last.len() > 2 * TOGETHER {
            self.last.retain(|_, turn| matches!(turn.try_recv(), Err(TryRecvError::Empty)));
        }
        let (next, last) = oneshot::channel();
        Turn { before: self.last.insert(cover.clone(), last), next }
    }
}

impl Turn {
    /// Waits for it; `None` if somebody before has failed.
    pub(super) async fn come(self) -> Option<Come> {
        if let Some(before) = self.before {
            before.await.ok()?;
        }
        Some(Come(self.next))
    }
}

impl Come {
    pub(super) fn pass_on(self) {
        // Where nobody is next there is nobody to tell.
        let _ = self.0.send(());
    }
}

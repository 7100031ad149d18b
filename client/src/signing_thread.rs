//! Signing on threads of its own. A key in a device may never answer: then neither the runtime's threads
//! nor its end wait for it, and it is not asked again before it has answered.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use crate::signing_key::SigningFailed;

/// How long a signature is waited for.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How soon it is noticed that nobody waits any more.
const LOOK: Duration = Duration::from_millis(50);

/// What is asked of one key.
#[derive(Default)]
pub(crate) struct SigningThreads {
    /// What was not waited for any longer, each for as long as its thread lives.
    late: Mutex<Vec<Weak<()>>>,
}

impl SigningThreads {
    /// Does this on a thread, and waits so long for it.
    ///
    /// # Errors
    ///
    /// [`SigningFailed`] if it does not answer, or has not answered an earlier question yet.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        patience: Duration,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SigningFailed> {
        {
            let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
            late.retain(|asked| asked.strong_count() > 0);
            if !late.is_empty() {
                return Err(SigningFailed::new("it has not answered an earlier question yet"));
            }
        }
        let busy = Arc::new(());
        let late = Arc::downgrade(&busy);
        let (tell, told) = mpsc::channel();
        let begun = thread::Builder::new().name("signing".into()).spawn(move || {
            let done = work();
            drop(busy);
            // Nobody may want it any more.
            let _ = tell.send(done);
        });
        begun.map_err(SigningFailed::new)?;
        let waiting = Arc::new(());
        let waited_for = Arc::downgrade(&waiting);
        let begun = Instant::now();
        let waited = tokio::task::spawn_blocking(move || {
            loop {
                match told.recv_timeout(LOOK.min(patience)) {
                    Err(RecvTimeoutError::Timeout)
                        if begun.elapsed() < patience && waited_for.strong_count() > 0 => {}
                    answer => return answer,
                }
            }
        });
        let answer = waited.await.map_err(SigningFailed::new)?;
        drop(waiting);
        match answer {
            Ok(done) => Ok(done),
            Err(RecvTimeoutError::Disconnected) => {
                Err(SigningFailed::new("it ended without an answer"))
            }
            Err(RecvTimeoutError::Timeout) => {
                self.late.lock().unwrap_or_else(PoisonError::into_inner).push(late);
                Err(SigningFailed::new(format_args!("no signature within {patience:?}")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_never_answers_is_asked_once_and_holds_nothing_up() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let threads = Arc::new(SigningThreads::default());
        let (answer, asked) = mpsc::channel::<()>();
        let patience = Duration::from_millis(20);
        let failed = runtime.block_on(threads.run(patience, move || asked.recv()));
        assert!(failed.unwrap_err().cause.contains("no signature within"));
        for _ in 0..2 {
            let failed = runtime.block_on(threads.run(PATIENCE, || unreachable!("it is asked")));
            assert!(failed.unwrap_err().cause.contains("earlier question"));
        }
        // Once it has answered it is asked again.
        answer.send(()).unwrap();
        let begun = Instant::now();
        while runtime.block_on(threads.run(PATIENCE, || ())).is_err() {
            assert!(begun.elapsed() < PATIENCE, "it is never asked again");
            thread::sleep(Duration::from_millis(1));
        }
        let ended = runtime.block_on(threads.run(PATIENCE, || panic!("a faulty key")));
        let ended: Result<(), _> = ended;
        assert!(ended.unwrap_err().cause.contains("without an answer"));
        // Nor is the runtime's end held up while one is waited for.
        let (_never, asked) = mpsc::channel::<()>();
        let waiting = Arc::clone(&threads);
        runtime.spawn(async move { waiting.run(PATIENCE, move || asked.recv()).await });
        thread::sleep(Duration::from_millis(20));
        let begun = Instant::now();
        drop(runtime);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}

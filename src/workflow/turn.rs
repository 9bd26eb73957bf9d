//! Turns: what happens side by side is told one after the other.

use tokio::sync::watch;

/// Whose turn it is, from 0 on.
pub(super) struct Turns(watch::Sender<usize>);

impl Default for Turns {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl Turns {
    /// Waits until everything before `number` has passed.
    pub(super) async fn wait(&self, number: usize) {
        // It cannot be closed while it is borrowed.
        let _ = self.0.subscribe().wait_for(|turn| *turn >= number).await;
    }

    /// The turn of `number` is over.
    pub(super) fn pass(&self, number: usize) {
        self.0.send_replace(number + 1);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use futures::future::join_all;

    use super::*;

    #[tokio::test]
    async fn turns_come_in_order_whoever_is_ready_first() {
        let (turns, told) = (Turns::default(), Mutex::new(Vec::new()));
        let tell = async |number: usize| {
            for _ in number..5 {
                tokio::task::yield_now().await;
            }
            turns.wait(number).await;
            told.lock().map(|mut told| told.push(number)).ok();
            turns.pass(number);
        };
        join_all((0..5).map(tell)).await;
        assert_eq!(told.into_inner().ok(), Some(vec![0, 1, 2, 3, 4]));
    }
}

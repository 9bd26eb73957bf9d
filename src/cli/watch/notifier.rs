//! What is posted to the webhook, beside the rounds: one that hangs delays none of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::log::Log;
use crate::attribution::Answer;
use crate::render::watch::{Event, notification};
use crate::watch::{Finding, Findings, Webhook};
use crate::workflow::{Stop, stopped};

/// Posts what came and went since the last post that was delivered.
pub(super) struct Notifier {
    known: watch::Sender<Option<Known>>,
    delivered: Arc<Mutex<Delivered>>,
    task: JoinHandle<()>,
}

/// What there is to be told.
#[derive(Clone)]
struct Known {
    project: String,
    findings: Findings,
    who: BTreeMap<Finding, Answer>,
}

/// What was told.
#[derive(Clone, Default)]
pub(super) struct Delivered {
    /// What the webhook knows.
    pub(super) notified: Findings,
    /// Posts that it did not take at once.
    pub(super) lost: u64,
}

impl Notifier {
    /// Begins with what the webhook was notified of before.
    pub(super) fn start(webhook: Webhook, notified: Findings, log: Log, stop: Stop) -> Self {
        let (known, news) = watch::channel(None);
        let delivered = Arc::new(Mutex::new(Delivered { notified, lost: 0 }));
        let task = tokio::spawn(run(webhook, news, Arc::clone(&delivered), log, stop));
        Self { known, delivered, task }
    }

    /// Takes what is known after a round.
    pub(super) fn take(&self, project: &str, findings: &Findings, who: &BTreeMap<Finding, Answer>) {
        let (project, findings, who) = (project.to_owned(), findings.clone(), who.clone());
        self.known.send_replace(Some(Known { project, findings, who }));
    }

    /// What was told so far.
    pub(super) fn delivered(&self) -> Delivered {
        self.delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Tells what is left, and ends.
    pub(super) async fn end(self) -> Delivered {
        let Self { known, delivered, task } = self;
        drop(known);
        // A task that failed has told what it could.
        let _ = task.await;
        delivered.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn run(
    webhook: Webhook,
    mut news: watch::Receiver<Option<Known>>,
    delivered: Arc<Mutex<Delivered>>,
    log: Log,
    stop: Stop,
) {
    while news.changed().await.is_ok() {
        let Some(Known { project, findings, who }) = news.borrow_and_update().clone() else { continue };
        let notified = delivered.lock().unwrap_or_else(PoisonError::into_inner).notified.clone();
        let change = findings.since(&notified);
        if change.is_empty() {
            continue;
        }
        let message = notification(&project, &change, &findings, &who);
        let posted = tokio::select! {
            posted = webhook.post(&message) => posted.map_err(|error| error.to_string()),
            () = stopped(&stop) => Err("the watch was stopped before the webhook had answered".to_owned()),
        };
        match posted {
            Ok(()) => delivered.lock().unwrap_or_else(PoisonError::into_inner).notified = findings,
            Err(reason) => {
                delivered.lock().unwrap_or_else(PoisonError::into_inner).lost += 1;
                log.write(&project, Event::NotNotified { reason });
            }
        }
    }
}

//! The consumer of a channel: passes deliveries to the channel's handler.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::StreamExt as _;
use tokio::{sync::watch, task::consume_budget};

use super::{channel::ChannelState, message, writer::LapinWriter};

/// Whether a channel consumes.
pub(super) struct Consuming {
    running: watch::Sender<bool>,
    /// This program has cancelled the consumer.
    stopped: AtomicBool,
}

impl Default for Consuming {
    fn default() -> Self {
        Self { running: watch::Sender::new(false), stopped: AtomicBool::new(false) }
    }
}

/// Held while a consumer runs.
pub(super) struct Running(watch::Sender<bool>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send_replace(false);
    }
}

impl Consuming {
    pub(super) fn start(&self) -> Running {
        self.running.send_replace(true);
        Running(self.running.clone())
    }

    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// Resolves when all deliveries are passed on, and no more will arrive.
    pub(super) async fn ended(&self) {
        let _ = self.running.subscribe().wait_for(|running| !running).await;
    }
}

/// Passes deliveries on until the consumer ends.
pub(super) async fn receive(
    mut consumer: lapin::Consumer,
    state: Arc<ChannelState>,
    writer: Arc<LapinWriter>,
    running: Running,
) {
    let mut failed = false;
    while let Some(delivery) = consumer.next().await {
        match delivery {
            Ok(delivery) => {
                let Some(handler) = state.handler() else { break };
                match message::delivery(delivery, || handler.max_body()) {
                    Ok(delivery) => handler.delivered(delivery),
                    Err((tag, size)) => handler.unreadable(tag, size),
                }
            }
            Err(error) => {
                failed = true;
                state.note_cause(&error);
            }
        }
        // lapin's stream never yields while it has deliveries.
        consume_budget().await;
    }
    drop(running);
    if failed || !writer.is_connected() {
        // The channel's task ends the consumer.
        writer.wake();
    } else if !state.consuming.is_stopped()
        && let Some(handler) = state.handler()
    {
        handler.cancelled();
    }
}

//! One live connection.
//!
//! The [`IoTask`](io_task::IoTask) owns the socket. Frames to go out are appended to one buffer, in order, and leave in as few
//! writes as there can be. The frame reader hands what came in to the [`ChannelHandler`] of its channel, or to the task that
//! waits for an answer. So an acknowledgement never overtakes a message that was sent before it, and a returned message is
//! handed over before its confirmation.

mod ack_tracker;
mod channels;
mod frame_reader;
mod heartbeat;
mod io_task;
mod outgoing;
#[cfg(any(test, fuzzing))]
pub(crate) mod replay;
mod shared;

use std::{fmt, sync::Arc};

use smol_str::SmolStr;
use tokio::sync::watch;

pub use ack_tracker::{Ack, AckTracker};
pub use heartbeat::Stall;
pub(crate) use outgoing::{Outgoing, State, acknowledge};
pub(crate) use shared::Shared;

use self::io_task::IoTask;
use crate::{
    Blocked, Channel, Error, SendWindow,
    connect::{Agreed, OnStall, Stream},
};

/// A live connection. It is never repaired: make another one when it has [ended](Self::closed).
///
/// Clones are handles of the same connection. It is closed when the last of them is dropped.
#[derive(Clone)]
pub struct Connection(Arc<Owner>);

/// Closes the connection on drop. The channels hold what is in it, and do not keep it open.
struct Owner {
    shared: Arc<Shared>,
    user: SmolStr,
    send_window: Arc<SendWindow>,
}

impl Connection {
    /// Starts the I/O task of a connection on the current runtime.
    pub(crate) fn start(
        socket: Box<dyn Stream>,
        agreed: Agreed,
        user: SmolStr,
        on_stall: Option<OnStall>,
    ) -> Self {
        let (io_task, shared) = IoTask::new(socket, agreed, on_stall);
        tokio::spawn(io_task);
        let send_window = SendWindow::new(shared.blocked().clone());
        Self(Arc::new(Owner { shared, user, send_window }))
    }

    /// Opens a channel.
    ///
    /// # Errors
    ///
    /// The connection has ended, or has as many channels as it may have.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the channel again.
    pub async fn open_channel(&self) -> Result<Channel, Error> {
        Channel::open(&self.0.shared).await
    }

    /// How many channels it may have.
    pub fn channel_max(&self) -> u16 {
        self.0.shared.channel_max()
    }

    /// The user that is logged in.
    pub fn user(&self) -> &SmolStr {
        &self.0.user
    }

    /// Whether it takes messages, and why not.
    pub fn blocked(&self) -> watch::Receiver<Blocked> {
        self.0.shared.blocked().subscribe()
    }

    /// Bounds what is published and not settled.
    pub fn send_window(&self) -> &Arc<SendWindow> {
        &self.0.send_window
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.0.shared.ended().borrow().is_some()
    }

    /// Resolves when the connection has ended, with the reason.
    pub fn closed(&self) -> impl Future<Output = Error> + Send + use<> {
        let mut ended = self.0.shared.ended();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(why) => why.clone().unwrap_or(Error::Closed),
                Err(_) => Error::Closed,
            }
        }
    }

    /// Begins to close it: what was sent before still goes out, and nothing after. It [ends](Self::closed) when the broker has
    /// agreed, or two seconds after the socket took the last bytes.
    pub fn close(&self) {
        self.0.shared.close();
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("shared", &self.0.shared).finish_non_exhaustive()
    }
}

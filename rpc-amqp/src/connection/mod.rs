//! One live connection.
//!
//! The [`IoTask`](io_task::IoTask) owns the socket. Outgoing frames are appended to one buffer, in order, and leave in
//! as few writes as possible. The frame reader passes incoming messages to the [`ChannelHandler`] of their channel,
//! and replies to the task that waits for them. So an acknowledgement never overtakes a message that was sent before
//! it, and a returned message reaches the handler before its confirmation.

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

/// A live connection. It does not reconnect: make a new one when it has [ended](Self::closed).
///
/// Clones are handles of the same connection. It is closed when the last one is dropped.
#[derive(Clone)]
pub struct Connection(Arc<Owner>);

/// Closes the connection on drop. Channels share its state and do not keep it open.
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
    /// The connection has ended, or has reached its limit of channels.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the channel.
    pub async fn open_channel(&self) -> Result<Channel, Error> {
        Channel::open(&self.0.shared).await
    }

    /// The largest number of channels.
    pub fn channel_max(&self) -> u16 {
        self.0.shared.channel_max()
    }

    /// The user of the login.
    pub fn user(&self) -> &SmolStr {
        &self.0.user
    }

    /// Whether it accepts messages, and why not.
    pub fn blocked(&self) -> watch::Receiver<Blocked> {
        self.0.shared.blocked().subscribe()
    }

    /// Limits the bytes that are published and not yet settled.
    pub fn send_window(&self) -> &Arc<SendWindow> {
        &self.0.send_window
    }

    /// Whether it has ended.
    pub fn is_closed(&self) -> bool {
        self.0.shared.ended().borrow().is_some()
    }

    /// Resolves with the reason when the connection has ended.
    pub fn closed(&self) -> impl Future<Output = Error> + Send + use<> {
        let mut ended = self.0.shared.ended();
        async move {
            match ended.wait_for(Option::is_some).await {
                Ok(why) => why.clone().unwrap_or(Error::Closed),
                Err(_) => Error::Closed,
            }
        }
    }

    /// Starts to close it. Everything that was sent before is still written, and nothing after that. It
    /// [ends](Self::closed) when the broker has confirmed, or two seconds after the socket accepted the last bytes.
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

//! Why a channel or a connection is of no use any more.

use std::{io, sync::Arc};

use crate::protocol::CloseReason;

/// Why a channel or a connection ended, or why something failed that was asked of the broker.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The broker closed the channel: it refused something that was sent on it.
    #[error("the broker closed the channel: {0}")]
    ChannelClosed(CloseReason),
    /// The broker closed the connection.
    #[error("the broker closed the connection: {0}")]
    ConnectionClosed(CloseReason),
    /// This program closed it.
    #[error("this program closed it")]
    Closed,
    /// The connection has as many channels as it may have.
    #[error("all {0} channels of the connection are in use")]
    NoChannel(u16),
    /// The connection was lost, or the broker did not answer.
    #[error("the connection was lost")]
    Lost(#[source] Arc<io::Error>),
}

impl Error {
    /// The broker answered something else than was asked.
    pub(crate) fn out_of_turn() -> Self {
        let error = io::Error::new(io::ErrorKind::InvalidData, "the broker spoke out of turn");
        Self::Lost(Arc::new(error))
    }
}

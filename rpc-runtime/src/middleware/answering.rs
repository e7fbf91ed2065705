//! The future of this crate's own layers.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{BoxError, Reply};
use crate::causes::opaque_debug;

/// The outcome of a request below a layer.
pub(super) type Ended = Result<Reply, BoxError>;

/// Observes the outcome of a request.
pub trait Watch {
    #[doc(hidden)]
    fn ended(self, ended: &Ended);
}

/// Observes nothing.
impl Watch for () {
    fn ended(self, _: &Ended) {}
}

pin_project! {
    /// The future of a layer that answers a request itself, or observes the outcome below it.
    pub struct Answering<F, W> {
        #[pin]
        kind: Kind<F, W>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F, W> {
        Itself { answer: Option<Ended> },
        Below { #[pin] answer: F, watch: Option<W> },
    }
}

impl<F, W> Answering<F, W> {
    /// The layer answers the request itself.
    pub(super) fn itself(answer: Ended) -> Self {
        Self { kind: Kind::Itself { answer: Some(answer) } }
    }

    /// A service below answers the request, and `watch` observes the outcome.
    pub(super) fn below(answer: F, watch: W) -> Self {
        Self { kind: Kind::Below { answer, watch: Some(watch) } }
    }
}

impl<F, W, E> Future for Answering<F, W>
where
    F: Future<Output = Result<Reply, E>>,
    W: Watch,
    E: Into<BoxError>,
{
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        match self.project().kind.project() {
            // If it is polled again after its end, it stays pending.
            KindProjection::Itself { answer } => answer.take().map_or(Poll::Pending, Poll::Ready),
            KindProjection::Below { answer, watch } => {
                let ended = ready!(answer.poll(cx)).map_err(Into::into);
                if let Some(watch) = watch.take() {
                    watch.ended(&ended);
                }
                Poll::Ready(ended)
            }
        }
    }
}

opaque_debug!(Answering<F, W>);

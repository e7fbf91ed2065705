//! The future of our own layers.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;

use super::{BoxError, Reply};
use crate::causes::opaque_debug;

/// How a request ended below a layer.
pub(super) type Ended = Result<Reply, BoxError>;

/// A layer that looks at how its request ended.
pub trait Watch {
    #[doc(hidden)]
    fn ended(self, ended: &Ended);
}

/// One that does not.
impl Watch for () {
    fn ended(self, _: &Ended) {}
}

pin_project! {
    /// The future of a layer that answers by itself, or looks at what comes from below.
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
    /// The layer answers by itself.
    pub(super) fn itself(answer: Ended) -> Self {
        Self { kind: Kind::Itself { answer: Some(answer) } }
    }

    /// Somebody below answers, and `watch` sees it.
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
            // Polled again after its end, it never ends.
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

//! Frames in pieces, and what is told of them: for the tests of the router and for fuzzing.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use smol_str::SmolStr;

use super::{super::wire::Tuning, Ended, Mux, Route, router::Router};
use crate::{
    message::{Delivery, HeaderValue, Properties},
    wire::MAX_HEADER_DEPTH,
};

/// The channel that somebody listens to: the first.
#[cfg(test)]
pub(crate) const CHANNEL: u16 = 1;

const TUNING: Tuning = Tuning { channels: 9, largest_frame: 4096, heartbeat: 0 };

/// No larger body is kept.
pub(crate) const MOST_BODY: usize = 2 * 1024 * 1024;

/// No larger frame was agreed on.
const LARGEST: usize = 4096;

/// What a listener was told.
#[derive(Debug, PartialEq)]
pub(crate) enum Told {
    Delivered(Delivery),
    Unreadable(u64, usize),
    Returned(Box<Properties>),
    Confirmed { tag: u64, multiple: bool, accepted: bool },
    Cancelled,
    Ended,
}

#[derive(Default)]
struct Listener(Mutex<Vec<Told>>);

impl Listener {
    fn note(&self, told: Told) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(told);
    }
}

impl Route for Listener {
    fn delivered(&self, delivery: Delivery) {
        self.note(Told::Delivered(delivery));
    }

    fn unreadable(&self, tag: u64, size: usize) {
        self.note(Told::Unreadable(tag, size));
    }

    fn most_body(&self) -> usize {
        MOST_BODY
    }

    fn cancelled(&self) {
        self.note(Told::Cancelled);
    }

    fn returned(&self, properties: Properties) {
        self.note(Told::Returned(Box::new(properties)));
    }

    fn confirmed(&self, tag: u64, multiple: bool, accepted: bool) {
        self.note(Told::Confirmed { tag, multiple, accepted });
    }

    fn ended(&self, _: Ended) {
        self.note(Told::Ended);
    }
}

/// What a listener is told of bytes that come so many at a time, and whether they were AMQP.
pub(crate) fn route(bytes: &[u8], piece: usize) -> (Vec<Told>, bool) {
    let (mux, listener) = (Mux::new(TUNING), Arc::new(Listener::default()));
    if let Ok(port) = mux.reserve() {
        mux.route(&port, listener.clone());
    }
    let mut router = Router::new(mux, LARGEST);
    let mut came = BytesMut::new();
    let formed = bytes.chunks(piece.max(1)).all(|piece| {
        came.extend_from_slice(piece);
        router.route(&mut came).is_ok()
    });
    let told = std::mem::take(&mut *listener.0.lock().unwrap_or_else(PoisonError::into_inner));
    (told, formed)
}

/// # Panics
///
/// If it depends on the pieces, or what is told nests deeper than anybody looks.
pub(crate) fn check(bytes: &[u8], piece: usize) -> Vec<Told> {
    let (told, formed) = route(bytes, piece);
    if formed {
        let whole = route(bytes, bytes.len());
        assert!(whole == (told, formed), "the pieces make a difference");
        check_depth(&whole.0);
        return whole.0;
    }
    told
}

fn check_depth(told: &[Told]) {
    let headers = told.iter().flat_map(|told| match told {
        Told::Delivered(delivery) => &delivery.properties.headers[..],
        Told::Returned(properties) => &properties.headers[..],
        _ => &[],
    });
    let deepest = headers.map(|(_, value): &(SmolStr, HeaderValue)| value.depth()).max();
    assert!(deepest.unwrap_or(0) <= MAX_HEADER_DEPTH + 1);
}

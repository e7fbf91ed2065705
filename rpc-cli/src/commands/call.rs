//! `rpc call`: one call.

use std::time::Instant;

use rpc_runtime::{CallError, Encoding, UntypedReply};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{connect, target::Prepared};
use crate::{
    cli::{CallArgs, Global, Output},
    failure::{Failure, Kind},
    show::{json, raw_json},
};

/// The JSON output.
#[derive(Serialize)]
struct Ended {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Box<RawValue>>,
    took_us: u64,
}

pub(super) async fn run(global: &Global, arguments: &CallArgs) -> Result<(), Failure> {
    let broker = connect(global).await?;
    let prepared = Prepared::new(&broker, global, &arguments.target).await?;
    let started = Instant::now();
    let ended = prepared.call().await;
    let took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let written = write(global, &ended, took_us);
    match ended {
        Ok(_) => written,
        // A failure of the call takes precedence over a failure of the output.
        Err(error) => Err(prepared.explain(error).await),
    }
}

fn write(
    global: &Global,
    ended: &Result<UntypedReply, CallError<UntypedReply>>,
    took_us: u64,
) -> Result<(), Failure> {
    if global.output == Output::Json {
        match ended {
            Ok(reply) => json(&Ended { result: Some(value(reply)?), error: None, took_us })?,
            Err(CallError::Application(reply)) => {
                json(&Ended { result: None, error: Some(value(reply)?), took_us })?;
            }
            Err(_) => {}
        }
    } else if let Ok(reply) = ended {
        raw_json(value(reply)?.get())?;
    }
    Ok(())
}

/// The reply as JSON; one in plain text is a string.
fn value(reply: &UntypedReply) -> Result<Box<RawValue>, Failure> {
    let unreadable = |error: serde_json::Error| {
        Failure::new(Kind::Error, format!("the reply does not match its content type: {error}"))
    };
    match reply.encoding {
        Encoding::Json if reply.body.is_empty() => serde_json::from_str("null").map_err(unreadable),
        Encoding::Json => serde_json::from_slice(&reply.body).map_err(unreadable),
        _ => serde_json::value::to_raw_value(&reply.to_string()).map_err(unreadable),
    }
}

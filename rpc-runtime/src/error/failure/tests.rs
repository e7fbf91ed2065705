//! All sentences, with and without the names of a call.

use std::{convert::Infallible, io};

use super::*;
use crate::{
    broker::Broker,
    codec::{DecodeError, EncodeError, Encoding},
    error::{BrokerError, LayerError, TooLarge},
    fault::{Fault, FaultKind},
};

type Failure = CallFailure<Infallible>;

fn facts() -> Facts {
    Facts {
        service: "Fibonacci".into(),
        method: "fib".into(),
        queue: "Fibonacci".into(),
        exchange: String::new(),
        broker: "amqp://rabbit:5672/%2f".into(),
        looks: false,
        ended: Some(Ended {
            waited: Duration::from_millis(10_003),
            timeout: Duration::from_secs(10),
            obstacle: None,
        }),
    }
}

fn refused(kind: FaultKind, message: &str) -> CallError {
    CallError::Refused(Fault::new(kind, message))
}

fn broker(kind: BrokerErrorKind, message: &str) -> CallError {
    CallError::Broker(BrokerError::new(kind, message))
}

fn reset() -> BrokerError {
    BrokerError::new(BrokerErrorKind::ConnectionLost, "it was lost")
        .caused_by(io::Error::from(io::ErrorKind::ConnectionReset))
}

fn json_error() -> serde_json::Error {
    serde_json::from_str::<u32>("true").unwrap_err()
}

type Row = (CallError, &'static str, &'static str, &'static str, &'static str);

/// Each error with its sentence, the causes that `Debug` adds, and both again with the names of the call.
fn table() -> Vec<Row> {
    [without_details(), with_details()].into_iter().flatten().collect()
}

fn without_details() -> Vec<Row> {
    vec![
        (
            CallError::NoServer,
            "no server: the queue of the service does not exist, or nobody consumes it; has a server of this service ever run there?",
            "",
            "no server (the queue \"Fibonacci\" does not exist on amqp://rabbit:5672/%2f; has a server of this service ever run there?)",
            "",
        ),
        (
            CallError::DeadlineExceeded { may_have_run: true },
            "no answer by the deadline; it may have run",
            "",
            "no answer within 10 s; it may have run",
            "",
        ),
        (
            CallError::DeadlineExceeded { may_have_run: false },
            "the deadline passed before the method was started; it did not run: call again with more time",
            "",
            "not started within 10 s; it did not run: call again with more time",
            "",
        ),
        (
            CallError::ConnectionLost { may_have_run: true },
            "the connection to the broker was lost during the call; it may have run",
            "",
            "the connection to amqp://rabbit:5672/%2f was lost after 10 s; it may have run",
            "",
        ),
        (
            CallError::ConnectionLost { may_have_run: false },
            "there is no connection to the broker; it did not run: call again later",
            "",
            "there is no connection to amqp://rabbit:5672/%2f; it did not run: call again later",
            "",
        ),
        (
            refused(FaultKind::Overloaded, "32 requests are waiting"),
            "refused as overloaded; it did not run: call again later, or start more servers",
            ": caused by overloaded: 32 requests are waiting",
            "refused as overloaded: 32 requests are waiting; it did not run: call again later, or start more servers",
            "",
        ),
        (
            refused(FaultKind::ShuttingDown, ""),
            "refused as shutting-down; it did not run: call again",
            "",
            "refused as shutting-down; it did not run: call again",
            "",
        ),
        (
            CallError::Panicked,
            "the method panicked in the server; it may have run in part: the server's standard error has the reason",
            "",
            "the method panicked in the server; it may have run in part: the server's standard error has the reason",
            "",
        ),
    ]
}

fn with_details() -> Vec<Row> {
    vec![
        (
            CallError::Encode(EncodeError::new(Encoding::Json, json_error())),
            "the arguments or a header cannot be written, and nothing was sent",
            ": caused by the value cannot be written as JSON: caused by invalid type: boolean `true`, expected u32 at line 1 column 4",
            "the arguments or a header cannot be written, and nothing was sent: the value cannot be written as JSON",
            ": caused by invalid type: boolean `true`, expected u32 at line 1 column 4",
        ),
        (
            CallError::TooLarge(TooLarge { size: 201, limit: 100 }),
            "the request has 201 bytes, and this client sends 100 at most; nothing was sent: send less, or raise `max_request`",
            "",
            "the request has 201 bytes, and this client sends 100 at most; nothing was sent: send less, or raise `max_request`",
            "",
        ),
        (
            CallError::Decode(DecodeError::new(Encoding::Json, json_error())),
            "the reply cannot be read; it may have run: are client and server built from the same trait?",
            ": caused by not the JSON expected here: caused by invalid type: boolean `true`, expected u32 at line 1 column 4",
            "the reply cannot be read: not the JSON expected here; it may have run: are client and server built from the same trait?",
            ": caused by invalid type: boolean `true`, expected u32 at line 1 column 4",
        ),
        (
            broker(BrokerErrorKind::Closed, "the `Broker` was closed by this program"),
            "this program closed its `Broker` before the call; it did not run",
            "",
            "this program closed its `Broker` before the call; it did not run (it was connected to amqp://rabbit:5672/%2f)",
            "",
        ),
        (
            broker(BrokerErrorKind::NotPermitted, "a publish: ACCESS_REFUSED - read access"),
            "the broker does not permit this user to make calls; it did not run",
            ": caused by a publish: ACCESS_REFUSED - read access",
            "a publish: ACCESS_REFUSED - read access (on amqp://rabbit:5672/%2f); it did not run",
            "",
        ),
        (
            CallError::Broker(reset()),
            "the connection to the broker was lost; it did not run",
            ": caused by it was lost: caused by connection reset",
            "it was lost (on amqp://rabbit:5672/%2f); it did not run",
            ": caused by connection reset",
        ),
        (
            CallError::ChangedTooLate { what: "timeout", may_have_run: false },
            "`timeout` came after the call had been polled; it did not run: change a call before it is awaited",
            "",
            "`timeout` came after the call had been polled; it did not run: change a call before it is awaited",
            "",
        ),
        (
            CallError::Layer(LayerError::new(reset().into(), false, false)),
            "a layer of this client ended the call: it was lost; it did not run",
            ": caused by connection reset",
            "a layer of this client ended the call: it was lost; it did not run",
            ": caused by connection reset",
        ),
    ]
}

#[test]
fn every_error_has_its_sentence() {
    for (error, sentence, causes, named, named_causes) in table() {
        assert_eq!(error.to_string(), sentence);
        assert_eq!(format!("{error:?}"), format!("{sentence}{causes}"));
        let failure = Failure::new(facts(), error);
        assert_eq!(failure.to_string(), format!("Fibonacci.fib: {named}"));
        assert_eq!(format!("{failure:?}"), format!("Fibonacci.fib: {named}{named_causes}"));
    }
}

#[test]
fn every_kind_of_fault_has_a_remedy() {
    let shown = |kind| refused(kind, "why").to_string();
    for (kind, sentence) in [
        (FaultKind::UnknownMethod, "it did not run: is the server older than this client?"),
        (
            FaultKind::BadArguments,
            "it did not run: are client and server built from the same trait?",
        ),
        (FaultKind::UnsupportedEncoding, "it did not run: use an encoding that the server reads"),
        (FaultKind::MalformedRequest, "it did not run"),
        (
            FaultKind::Incompatible,
            "it did not run: are client and server built from the same trait?",
        ),
        (FaultKind::TooLarge, "it did not run: send less, or raise `max_request` of the server"),
        (FaultKind::NotPermitted, "it did not run"),
        (FaultKind::OutcomeUnknown, "it may have run: find out before calling again"),
        (FaultKind::UnencodableReply, "it may have run: the server's log has the reason"),
        (FaultKind::Internal, "it may have run: the server's log has the reason"),
    ] {
        assert_eq!(shown(kind), format!("refused as {kind}; {sentence}"));
    }
    let unexplained = refused(FaultKind::NotPermitted, "").to_string();
    assert_eq!(
        unexplained,
        "refused as not-permitted; it did not run: the server decides who may call it"
    );
    let again = CallError::<Infallible>::Refused(Fault::new(FaultKind::Overloaded, "").ran(true));
    assert_eq!(
        again.to_string(),
        "refused as overloaded; it may have run: find out before calling again"
    );
    let newer = CallError::<Infallible>::Refused(Fault::with_word("on-fire", "hot"));
    assert_eq!(
        newer.to_string(),
        "refused as on-fire; it may have run: is the server newer than this client?"
    );
}

#[test]
fn no_cause_is_shown_twice() {
    fn chain(error: &dyn Error) -> Vec<String> {
        let mut chain = vec![error.to_string()];
        let mut cause = error.source();
        while let Some(error) = cause {
            chain.push(error.to_string());
            cause = error.source();
        }
        chain
    }
    fn check(error: &dyn Error) {
        let chain = chain(error);
        for (index, text) in chain.iter().enumerate() {
            let repeated = chain[..index].iter().find(|earlier| earlier.contains(text));
            assert_eq!(repeated, None, "{text}");
        }
        assert_eq!(format!("{error:?}"), chain.join(": caused by "));
    }
    for (error, ..) in table() {
        check(&error);
        check(&Failure::new(facts(), error));
    }
    check(&reset());
    check(&TooLarge { size: 2, limit: 1 });
    check(&Fault::new(FaultKind::Internal, "why"));
    check(&DecodeError::new(Encoding::Json, json_error()));
    check(&LayerError::new(reset().into(), true, false));
}

#[test]
fn method_errors_are_shown_unchanged() {
    let error = CallError::Application("no such user");
    assert_eq!(error.to_string(), "no such user");
    assert_eq!(format!("{error:?}"), "the method's own error: \"no such user\"");
    let failure = CallFailure::new(facts(), error);
    assert_eq!(failure.to_string(), "Fibonacci.fib: no such user");
    assert_eq!(format!("{failure:?}"), "Fibonacci.fib: no such user");
}

#[test]
fn unstarted_call_has_the_reason() {
    let late = |obstacle| {
        let obstacle = Some(obstacle);
        let ended = facts().ended.map(|ended| Ended { obstacle, ..ended });
        let error = CallError::DeadlineExceeded { may_have_run: false };
        Failure::new(Facts { ended, ..facts() }, error).to_string()
    };
    assert_eq!(
        late(Obstacle::NoConnection),
        "Fibonacci.fib: not started within 10 s; it did not run: there is no connection to \
         amqp://rabbit:5672/%2f; is it running?"
    );
    assert_eq!(
        late(Obstacle::Blocked(Arc::from("low on memory"))),
        "Fibonacci.fib: not started within 10 s; it did not run: amqp://rabbit:5672/%2f takes no \
         messages: low on memory"
    );
}

#[test]
fn a_request_through_an_exchange_names_it() {
    let facts = Facts { exchange: "rpc".into(), ..facts() };
    assert_eq!(
        Failure::new(facts, CallError::NoServer).to_string(),
        "Fibonacci.fib: no server (no queue takes \"Fibonacci.fib\" from the exchange \"rpc\" on \
         amqp://rabbit:5672/%2f; has a server of this service ever run there?)"
    );
}

#[test]
fn fail_fast_error_mentions_missing_consumers() {
    let facts = Facts { looks: true, ..facts() };
    assert_eq!(
        Failure::new(facts, CallError::NoServer).to_string(),
        "Fibonacci.fib: no server (the queue \"Fibonacci\" does not exist on amqp://rabbit:5672/%2f, or nobody consumes \
         it; is a server of this service running?)"
    );
}

#[test]
fn names_of_peers_are_shown_escaped() {
    let facts = Facts { service: "a\nb".into(), queue: "a\nb".into(), ..facts() };
    let shown = Failure::new(facts, CallError::NoServer).to_string();
    assert!(shown.starts_with("a\\nb.fib: no server (the queue \"a\\nb\" does"), "{shown}");
}

#[rpc_runtime::rpc_service(crate = rpc_runtime)]
trait Numbers {
    async fn double(&self, n: u32) -> u32;
    async fn half(&self, n: u32) -> Result<u32, String>;
}

struct Calculator;

impl Numbers for Calculator {
    async fn double(&self, n: u32) -> u32 {
        n * 2
    }

    async fn half(&self, n: u32) -> Result<u32, String> {
        if n.is_multiple_of(2) { Ok(n / 2) } else { Err(format!("{n} is odd")) }
    }
}

const NO_SERVER: &str = "Numbers.double: no server (the queue \"Numbers\" does not exist on the in-memory broker; has a \
                         server of this service ever run there?)";

#[tokio::test(start_paused = true)]
async fn an_explained_call_is_a_future_like_any() {
    let served = NumbersClient::new(&Broker::serving(NumbersServer::new(Calculator)));
    assert_eq!(served.double(4).explain().await.unwrap(), 8);
    let (double, half) = tokio::try_join!(served.double(4).explain(), served.double(1).explain())
        .unwrap_or_default();
    assert_eq!((double, half), (8, 2));
    let odd = tokio::spawn(served.half(3).explain()).await.unwrap().unwrap_err();
    assert_eq!(odd.to_string(), "Numbers.half: 3 is odd");
    assert_eq!(odd.error().application().map(String::as_str), Some("3 is odd"));

    let nobody = NumbersClient::new(&Broker::in_memory());
    let boxed = async || -> Result<(), Box<dyn Error + Send + Sync>> {
        tokio::select! {
            biased;
            ended = nobody.double(1).explain() => ended?,
            () = std::future::pending() => 0,
        };
        Ok(())
    };
    assert_eq!(format!("{:?}", boxed().await.unwrap_err()), NO_SERVER);
    let plain = async || -> Result<u32, CallError> { Ok(nobody.double(1).explain().await?) };
    assert!(matches!(plain().await, Err(CallError::NoServer)));
    assert_eq!(nobody.double(1).explain().send().await.unwrap_err().to_string(), NO_SERVER);
}

#[tokio::test(start_paused = true)]
async fn error_contains_the_timeout() {
    let broker = Broker::in_memory();
    let queue = crate::transport::Queue::named("Numbers");
    let server = crate::server::Server::builder(&broker)
        .service_on(queue, NumbersServer::new(Calculator))
        .start()
        .await
        .unwrap();
    server.shutdown().await.unwrap();
    let client = NumbersClient::new(&broker);
    let failure = client.double(1).explain().await.unwrap_err();
    assert_eq!(failure.to_string(), "Numbers.double: no answer within 10 s; it may have run");
    assert_eq!(failure.timeout(), Some(Duration::from_secs(10)));
    assert!(failure.waited() >= Duration::from_secs(10) && failure.may_have_run());
    let hurried = client.double(1).timeout(Duration::from_millis(200)).explain();
    assert_eq!(
        hurried.await.unwrap_err().to_string(),
        "Numbers.double: no answer within 200 ms; it may have run"
    );
}

#[tokio::test]
async fn unsent_call_has_its_names() {
    let broker = Broker::in_memory();
    let client = NumbersClient::new(&broker);
    let reserved = client.double(1).header("rpc-x", "y").explain().await.unwrap_err().to_string();
    assert!(
        reserved.starts_with("Numbers.double: the arguments or a header cannot be written, and"),
        "{reserved}"
    );
    let mut late = client.double(1);
    std::future::poll_fn(|cx| {
        let _ = std::pin::Pin::new(&mut late).poll(cx);
        std::task::Poll::Ready(())
    })
    .await;
    let late = late.timeout(Duration::from_secs(1)).explain().await.unwrap_err();
    assert_eq!(late.method(), "double");

    broker.close().await;
    let closed = client.double(1).explain().await.unwrap_err();
    assert_eq!(
        closed.to_string(),
        "Numbers.double: this program closed its `Broker` before the call; it did not run (it was \
         connected to the in-memory broker)"
    );
    let untyped = crate::UntypedClient::new(&broker, "Letters").call("sort", "[]").explain();
    assert!(untyped.await.unwrap_err().to_string().starts_with("Letters.sort: this program"));
}

//! Topic exchanges and their listeners.

use super::*;

pub(super) async fn an_exchange_routes_by_queue_and_method(fixture: Fixture) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut options = fixture.options(1);
    options.exchange.clone_from(&exchange);
    let mut worker = open_worker(&*fixture.connection, options).await.unwrap();
    let options = CallerOptions { exchange: exchange.clone(), ..CallerOptions::default() };
    let mut caller = fixture.caller_with(options).await;

    let routed = |key: String| Message { exchange: exchange.as_str().into(), ..message(&key, "a") };
    let key = format!("{}.fib", fixture.queue.name());
    assert_eq!(caller.outcome_of(routed(key.clone())).await, PublishOutcome::Accepted);
    let delivery = worker.next().await;
    assert_eq!((&*delivery.exchange, &*delivery.routing_key), (&*exchange, &*key));
    assert_eq!(
        caller.outcome_of(routed("nobody.fib".to_owned())).await,
        PublishOutcome::Unroutable
    );
    assert_eq!(
        caller.outcome_of(routed(fixture.queue.name().to_owned())).await,
        PublishOutcome::Unroutable
    );
}

impl Fixture {
    async fn listener(&self, exchange: &str, keys: &[&str]) -> Worker {
        let options = ListenerOptions {
            exchange: exchange.to_owned(),
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            prefetch: 1,
            max_length: 2,
            undeliverable: self.undeliverable.clone(),
        };
        let (channel, deliveries) = self.connection.open_listener(options).await.unwrap();
        Worker { channel, deliveries }
    }
}

pub(super) async fn listeners_get_copies_that_match_their_keys(fixture: Fixture) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut one = fixture.listener(&exchange, &["ask", "ask.one"]).await;
    let mut two = fixture.listener(&exchange, &["*", "ask.two"]).await;
    let mut caller = fixture.caller().await;
    let to = |key: &str, body| Message { exchange: exchange.as_str().into(), ..message(key, body) };
    assert_eq!(caller.outcome_of(to("ask", "both")).await, PublishOutcome::Accepted);
    assert_eq!(caller.outcome_of(to("ask.two", "two")).await, PublishOutcome::Accepted);
    assert_eq!(caller.outcome_of(to("ask.nobody", "lost")).await, PublishOutcome::Unroutable);
    for (listener, expected) in [(&mut one, &["both"][..]), (&mut two, &["both", "two"])] {
        for body in expected {
            let request = listener.next().await;
            assert_eq!((text(&request), &*request.exchange), (*body, &*exchange));
            let reply = message(caller.channel.callback_queue(), body);
            listener.channel.finish(request.tag, Some(reply));
            assert_eq!(text(&caller.reply().await), *body);
        }
        listener.expect_nothing().await;
    }
}

pub(super) async fn a_listeners_queue_is_deleted_with_its_channel(fixture: Fixture) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let listener = fixture.listener(&exchange, &["ask"]).await;
    let mut caller = fixture.caller().await;
    let ask = || Message { exchange: exchange.as_str().into(), ..message("ask", "a") };
    assert_eq!(caller.outcome_of(ask()).await, PublishOutcome::Accepted);
    drop(listener);
    let started = Instant::now();
    while caller.outcome_of(ask()).await != PublishOutcome::Unroutable {
        assert!(started.elapsed() < SOON, "the queue is still bound");
    }
}

pub(super) async fn a_listeners_queue_keeps_the_newest(fixture: Fixture) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut listener = fixture.listener(&exchange, &["ask"]).await;
    let mut caller = fixture.caller().await;
    for body in ["held", "a", "b", "c"] {
        let ask = Message { exchange: exchange.as_str().into(), ..message("ask", body) };
        assert_eq!(caller.outcome_of(ask).await, PublishOutcome::Accepted);
    }
    for body in ["held", "b", "c"] {
        let request = listener.next().await;
        assert_eq!(text(&request), body);
        listener.channel.finish(request.tag, None);
    }
    listener.expect_nothing().await;
}

pub(super) async fn a_missing_exchange_is_named(fixture: Fixture) {
    let exchange = format!("missing-{}", Uuid::new_v4());
    let options = CallerOptions { exchange: exchange.clone(), ..CallerOptions::default() };
    let (sender, _) = mpsc::unbounded_channel();
    let refused = fixture.connection.open_caller(options, Arc::new(Events(sender))).await;
    let error = refused.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::NotFound);
    assert!(error.to_string().contains(&exchange), "{error}");
    // The connection survives it.
    let mut caller = fixture.caller().await;
    assert_eq!(caller.outcome_of(fixture.request("a")).await, PublishOutcome::Unroutable);
}

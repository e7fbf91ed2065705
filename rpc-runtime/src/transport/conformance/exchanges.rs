//! Topic exchanges, and who listens to them.

use super::*;

pub(super) async fn an_exchange_routes_by_queue_and_method(bench: Bench) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut options = bench.options(1);
    options.exchange.clone_from(&exchange);
    let mut worker = open_worker(&*bench.connection, options).await.unwrap();
    let options = CallerOptions { exchange: exchange.clone(), ..CallerOptions::default() };
    let mut caller = bench.caller_with(options).await;

    let routed = |key: String| Message { exchange: exchange.as_str().into(), ..message(&key, "a") };
    let known = format!("{}.fib", bench.queue.name());
    assert_eq!(caller.outcome_of(routed(known.clone())).await, PublishOutcome::Accepted);
    let delivery = worker.next().await;
    assert_eq!((&*delivery.exchange, &*delivery.routing_key), (&*exchange, &*known));
    assert_eq!(
        caller.outcome_of(routed("nobody.fib".to_owned())).await,
        PublishOutcome::Unroutable
    );
    assert_eq!(
        caller.outcome_of(routed(bench.queue.name().to_owned())).await,
        PublishOutcome::Unroutable
    );
}

impl Bench {
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

pub(super) async fn every_listener_gets_a_copy_of_what_its_keys_match(bench: Bench) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut one = bench.listener(&exchange, &["ask", "ask.one"]).await;
    let mut two = bench.listener(&exchange, &["*", "ask.two"]).await;
    let mut caller = bench.caller().await;
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

pub(super) async fn a_listeners_queue_goes_with_its_channel(bench: Bench) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let listener = bench.listener(&exchange, &["ask"]).await;
    let mut caller = bench.caller().await;
    let ask = || Message { exchange: exchange.as_str().into(), ..message("ask", "a") };
    assert_eq!(caller.outcome_of(ask()).await, PublishOutcome::Accepted);
    drop(listener);
    let started = Instant::now();
    while caller.outcome_of(ask()).await != PublishOutcome::Unroutable {
        assert!(started.elapsed() < SOON, "the queue is still bound");
    }
}

pub(super) async fn a_listeners_queue_keeps_the_newest(bench: Bench) {
    let exchange = format!("conformance-{}", Uuid::new_v4());
    let mut listener = bench.listener(&exchange, &["ask"]).await;
    let mut caller = bench.caller().await;
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

pub(super) async fn a_missing_exchange_is_named(bench: Bench) {
    let exchange = format!("missing-{}", Uuid::new_v4());
    let options = CallerOptions { exchange: exchange.clone(), ..CallerOptions::default() };
    let (sender, _) = mpsc::unbounded_channel();
    let refused = bench.connection.open_caller(options, Arc::new(Events(sender))).await;
    let error = refused.map(drop).unwrap_err();
    assert_eq!(error.kind(), BrokerErrorKind::NotFound);
    assert!(error.to_string().contains(&exchange), "{error}");
    // The connection survives it.
    let mut caller = bench.caller().await;
    assert_eq!(caller.outcome_of(bench.request("a")).await, PublishOutcome::Unroutable);
}

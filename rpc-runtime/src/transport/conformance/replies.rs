//! Replies and returned requests.

use smallvec::smallvec;

use super::*;

pub(super) async fn a_request_to_a_missing_queue_is_returned(fixture: Fixture) {
    let mut caller = fixture.caller().await;
    assert_eq!(caller.outcome_of(fixture.request("a")).await, PublishOutcome::Unroutable);
    let _worker = fixture.worker(1).await;
    assert_eq!(caller.outcome_of(fixture.request("b")).await, PublishOutcome::Accepted);
}

pub(super) async fn a_reply_keeps_all_its_properties(fixture: Fixture) {
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    caller.publish(fixture.request("request"));
    let request = worker.next().await;

    let properties = Properties {
        kind: Some("result".into()),
        content_type: Some("text/plain".into()),
        content_encoding: Some("utf-8".into()),
        correlation_id: Some("c".into()),
        reply_to: None,
        expiration: Some(Expiration::Milliseconds(60_000)),
        message_id: Some("m".into()),
        user_id: None,
        priority: Some(3),
        persistent: true,
        headers: smallvec![
            ("flag".into(), HeaderValue::Boolean(true)),
            ("number".into(), HeaderValue::Integer(-7)),
            ("text".into(), HeaderValue::Text("é".into())),
        ],
    };
    let mut reply = message(caller.channel.callback_queue(), "reply");
    reply.properties = properties.clone();
    worker.channel.finish(request.tag, Some(reply));
    let received = caller.reply().await;
    assert_eq!((text(&received), &received.properties), ("reply", &properties));
    // The request was acknowledged, so it is not delivered again.
    worker.channel.close().await;
    fixture.worker(1).await.expect_nothing().await;
}

pub(super) async fn ids_keep_their_bytes(fixture: Fixture) {
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    // 16 raw bytes are not text. Other spellings of a UUID are different ids.
    let raw: &[u8] = b"\x00\n\xf0\x0d\xff\xff\xff\xff\xc3\x28\xa0\xa1\x80\xed\xa0\x80";
    let longest = [0xfe; 255];
    let (upper, braces) =
        ("67E55044-10B1-426F-9247-BB680E5FE0C8", "{67e55044-10b1-426f-9247-bb680e5fe0c8}");
    for id in [raw, &longest, upper.as_bytes(), braces.as_bytes(), b""].map(Id::from) {
        let mut request = fixture.request("request");
        request.properties.message_id = Some(id.clone());
        caller.publish(request);
        let request = worker.next().await;
        assert_eq!(request.properties.message_id, Some(id.clone()));
        let mut reply = message(caller.channel.callback_queue(), "reply");
        reply.properties.correlation_id = request.properties.message_id.clone();
        worker.channel.finish(request.tag, Some(reply));
        assert_eq!(caller.reply().await.properties.correlation_id, Some(id));
    }
}

pub(super) async fn an_undeliverable_reply_is_counted(fixture: Fixture) {
    let mut worker = fixture.worker(1).await;
    let mut caller = fixture.caller().await;
    for body in ["a", "b"] {
        assert_eq!(caller.outcome_of(fixture.request(body)).await, PublishOutcome::Accepted);
    }
    let started = Instant::now();
    while fixture.undeliverable.load(Ordering::Relaxed) == 0 && started.elapsed() < SOON {
        // RabbitMQ returns the reply a moment after it was sent, so another round may be needed to see it counted.
        let request = worker.next().await;
        let reply = message("amq.gen-of-nobody", "reply");
        worker.channel.finish(request.tag, Some(reply));
        caller.publish(fixture.request("more"));
    }
    assert!(fixture.undeliverable.load(Ordering::Relaxed) > 0);
}

pub(super) async fn direct_reply_to_carries_replies(fixture: Fixture) {
    let mut worker = fixture.worker(1).await;
    let options = CallerOptions { direct_reply_to: true, ..CallerOptions::default() };
    let mut caller = fixture.caller_with(options).await;
    let mut request = fixture.request("request");
    request.properties.reply_to = Some(caller.channel.callback_queue().to_owned());
    caller.publish(request);
    let request = worker.next().await;
    let reply_to = request.properties.reply_to.clone().unwrap();
    assert!(reply_to.starts_with("amq.rabbitmq.reply-to"), "{reply_to}");
    let reply = Message { mandatory: false, ..message(&reply_to, "reply") };
    worker.channel.finish(request.tag, Some(reply));
    assert_eq!(text(&caller.reply().await), "reply");
}

pub(super) async fn unroutable_requests_are_returned_without_confirms(fixture: Fixture) {
    let options = CallerOptions { confirms: false, ..CallerOptions::default() };
    let mut caller = fixture.caller_with(options).await;
    let id = caller.publish(fixture.request("a"));
    loop {
        if let Event::Settled(settled, PublishOutcome::Unroutable) = caller.event().await {
            assert_eq!(settled, id);
            return;
        }
    }
}

pub(super) async fn a_callback_queue_is_deleted_with_its_channel(fixture: Fixture) {
    let caller = fixture.caller().await;
    let queue = caller.channel.callback_queue().to_owned();
    let mut other = fixture.caller().await;
    assert_eq!(other.outcome_of(message(&queue, "a")).await, PublishOutcome::Accepted);
    drop(caller);
    let started = Instant::now();
    while other.outcome_of(message(&queue, "a")).await != PublishOutcome::Unroutable {
        assert!(started.elapsed() < SOON, "the queue is still there");
    }
}

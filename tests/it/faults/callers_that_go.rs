//! Callers that end before their reply arrives.

use rpc_tests::eventually;

use super::relayed;
use crate::brokers::{Pair, SOON, SampleClient, rabbitmq};

/// Row 8.
#[tokio::test]
async fn a_reply_to_an_ended_caller_is_counted() {
    let pair = Pair::new(rabbitmq().await).await;
    let (relay, builder) = relayed().await;
    let caller = builder.connect().await.unwrap();
    let client = SampleClient::builder(&caller).queue(&pair.queue).build();
    let call = tokio::spawn(client.wait(1));
    pair.inside.has_started(1).await;
    call.abort();
    caller.close().await;
    eventually("the caller is gone", SOON, || (relay.open() == 0).then_some(())).await;

    pair.inside.gate.add_permits(1);
    let returned = || (pair.server.stats().undeliverable == 1).then_some(());
    eventually("the reply came back", SOON, returned).await;
    assert_eq!(pair.client.add(1, 2).await.unwrap(), 3);
    assert_eq!(pair.inside.started(), 2, "nothing was run again");
    pair.server.shutdown().await.unwrap();
}

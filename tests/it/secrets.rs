//! No password, payload or text of a panic is in logs, in `Debug` or in `Display`.

use std::{env, error::Error, process::Command, time::Duration};

use rpc_runtime::{Broker, Server, Tls, UntypedClient};
use rpc_tests::{Node, unique};

use crate::{
    brokers::{Inside, SampleClient, SampleServer, queue, refusal},
    logs::Log,
};

const PASSWORD: &str = "pa55-correct-horse";
const WRONG: &str = "pa55-battery-staple";
const PAYLOAD: &str = "payload-nobody-else-reads";
const ALONE: &str = "RPC_TEST_ALONE_AT";

/// Runs in its own process, with a log of its own.
#[tokio::test]
async fn passwords_and_payloads_are_never_shown() {
    if let Ok(address) = env::var(ALONE) {
        return look_at_everything(&address).await;
    }
    let node = Node::start().await;
    node.add_user("ada", PASSWORD, [".*", ".*", ".*"]).await;
    let address = node.url_for("ada", PASSWORD, "%2f");
    let this = "secrets::passwords_and_payloads_are_never_shown";
    let program = env::current_exe().unwrap();
    let run = Command::new(program).args([this, "--exact"]).env(ALONE, address).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stdout));
}

async fn look_at_everything(address: &str) {
    let log = Log::of_this_process();
    let shown = use_everything(address).await;
    let log = log.text();
    assert!(log.contains("rpc_runtime"), "our own lines are there");
    let refusal = log.lines().find(|line| line.contains("refused a request")).unwrap();
    for named in ["Sample/", "messaging.message.conversation_id="] {
        assert!(refusal.contains(named), "a line says what it is about: {refusal}");
    }
    for text in [&shown, &log] {
        for secret in [PASSWORD, WRONG] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "a line shows a password");
        }
    }
    let ours = log.lines().filter(|line| line.contains(" rpc_runtime"));
    let leak = ours.chain(shown.lines()).find(|line| line.contains(PAYLOAD));
    assert_eq!(leak, None, "a line of ours shows a payload");
}

/// Uses the whole interface, and returns everything that a program could print.
async fn use_everything(address: &str) -> String {
    let mut shown = Vec::new();
    let mut show = |what: &dyn std::fmt::Debug| shown.push(format!("{what:?}"));
    let builder = Broker::builder(address).name("secrets");
    show(&builder);
    let broker = builder.connect().await.unwrap();
    show(&broker);
    show(&broker.status());
    show(&Tls::new().roots(PASSWORD).identity(PASSWORD, PASSWORD));

    let wrong = address.replace(PASSWORD, WRONG);
    for address in [wrong.as_str(), &wrong.replace("amqp:", "http:"), &wrong.replace("%2f", "none")]
    {
        let connecting = Broker::builder(address).connect_timeout(Duration::from_millis(500));
        let error = connecting.connect().await.unwrap_err();
        show(&error);
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(error) = cause {
            show(&format!("{error} {error:?}"));
            cause = error.source();
        }
    }

    let name = unique("secrets");
    let builder = Server::builder(&broker)
        .service_on(queue(&name), SampleServer::new(Inside::new()))
        .authorize(|context| {
            let leaks = format!("{context:?}").contains(PAYLOAD);
            if leaks { Err("the context shows a header".to_owned()) } else { Ok(()) }
        });
    show(&builder);
    let server = builder.start().await.unwrap();
    let client = SampleClient::builder(&broker).queue(&name).build();
    show(&client);
    let call = client.note(PAYLOAD.to_owned()).header("secret", PAYLOAD);
    show(&call);
    call.await.unwrap();
    assert_eq!(client.add(1, 2).header("secret", PAYLOAD).await.unwrap(), 3);
    show(&client.explode(PAYLOAD.to_owned()).await.unwrap_err());
    show(&client.divide(1, 0).await.unwrap_err());
    // Only the caller learns what is wrong with its arguments.
    let wrong = UntypedClient::new(&broker, &name).call("add", format!("[\"{PAYLOAD}\", 1]"));
    let fault = refusal(wrong.await);
    assert!(fault.message().contains(PAYLOAD), "{fault}");
    let nobody = SampleClient::builder(&broker).queue(unique("nobody")).build();
    show(&nobody.note(PAYLOAD.to_owned()).await.unwrap_err());
    show(&server);
    server.shutdown().await.unwrap();
    broker.close().await;
    show(&client.note(PAYLOAD.to_owned()).await.unwrap_err());
    shown.join("\n")
}

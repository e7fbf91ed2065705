//! A program that uses lapin already, and calls a service over connections that it makes in the same way:
//! `cargo run -p examples-of-features --example over_lapin -- --broker amqp://localhost`.
//!
//! `Access` stands for what such a program has: one place that knows the address, the login, TLS and the options. Both the
//! program's own connection and those of the framework come from there.

use examples::{BrokerArgs, Failure};
use lapin::{Connection, ConnectionProperties, options::QueueDeclareOptions, types::FieldTable};
use rpc_runtime::{BrokerBuilder, Queue, Server, rpc_service};

/// How this program gets into RabbitMQ.
#[derive(Clone)]
struct Access {
    address: String,
}

impl Access {
    /// Makes a connection.
    async fn connect(&self, name: &str) -> Result<Connection, lapin::Error> {
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        Connection::connect(&self.address, properties).await
    }
}

/// Counts letters.
#[rpc_service]
pub trait Letters {
    /// How many letters a text has.
    async fn count(&self, text: String) -> usize;
}

struct Counting;

impl Letters for Counting {
    async fn count(&self, text: String) -> usize {
        text.chars().filter(|c| c.is_alphabetic()).count()
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let access = Access { address: BrokerArgs::parse()?.broker };

    // What the program did with lapin before.
    let own = access.connect("letters (own)").await?;
    let channel = own.create_channel().await?;
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), options, FieldTable::default()).await?;
    println!("a queue of its own: {} messages", queue.message_count());

    // A connection is lost some time. Then the framework asks for the next one.
    let for_calls = access.clone();
    let broker = BrokerBuilder::over_lapin(move || {
        let access = for_calls.clone();
        async move { access.connect("letters (calls)").await }
    })
    .connect()
    .await?;

    let queue = format!("letters-{}", std::process::id());
    let server = Server::builder(&broker)
        .service_on(Queue::named(&queue).temporary(), LettersServer::new(Counting))
        .start()
        .await?;
    let client = LettersClient::builder(&broker).queue(queue).build();
    let text = "over lapin";
    println!("{text:?} has {} letters", client.count(text.to_owned()).await?);

    server.shutdown().await?;
    broker.close().await;
    own.close(200, "goodbye".into()).await?;
    Ok(())
}

//! Publishes three messages to a queue, consumes and acknowledges them, and shows what the broker did with each: accepted,
//! or returned because no queue is bound to the routing key.
//!
//! ```sh
//! cargo run -p rpc-amqp --example publish_and_consume -- amqp://localhost:5672/%2f
//! ```

use std::{env, error::Error, sync::Arc};

use rpc_amqp::{
    Channel, ChannelHandler, Confirmation, ConnectOptions, Connection, Connector, Delivery, Id,
    Message, Properties, QueueDeclaration, Unconfirmed,
};
use tokio::sync::mpsc;

/// An event that the I/O task passes to the publishing task.
enum News {
    Returned(Option<Id>),
    Confirmed { number: u64, multiple: bool, confirmation: Confirmation },
    Ended(rpc_amqp::Error),
}

struct Publisher(mpsc::UnboundedSender<News>);

// A handler must not block, so it only forwards events. After `main` nobody receives them.
impl ChannelHandler for Publisher {
    fn returned(&self, properties: Properties) {
        let _ = self.0.send(News::Returned(properties.message_id));
    }

    fn confirmed(&self, number: u64, multiple: bool, confirmation: Confirmation) {
        let _ = self.0.send(News::Confirmed { number, multiple, confirmation });
    }

    fn closed(&self, why: rpc_amqp::Error) {
        let _ = self.0.send(News::Ended(why));
    }
}

struct Consumer(mpsc::UnboundedSender<Delivery>);

impl ChannelHandler for Consumer {
    fn delivered(&self, delivery: Delivery) {
        let _ = self.0.send(delivery);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address = env::args().nth(1).unwrap_or_else(|| "amqp://localhost:5672/%2f".to_owned());
    let options = ConnectOptions::default().name("publish and consume");
    let connection = Connector::new(&[address], options)?.connect().await?;

    // A queue that only this connection sees, and that is deleted with it.
    let consumer = connection.open_channel().await?;
    let declaration =
        QueueDeclaration { exclusive: true, auto_delete: true, ..QueueDeclaration::default() };
    let queue = consumer.declare_queue(declaration).await?.name;
    let (inbox, mut deliveries) = mpsc::unbounded_channel();
    consumer.set_handler(Arc::new(Consumer(inbox)));
    consumer.set_prefetch(10).await?;
    consumer.consume(&queue, true).await?;

    publish(&connection, &[&queue, &queue, "nobody-consumes-this", &queue]).await?;

    for _ in 0..3 {
        let delivery = deliveries.recv().await.ok_or("the channel has ended")?;
        println!("received {}", String::from_utf8_lossy(&delivery.body));
        consumer.writer().write(|out| out.ack(delivery.tag))?;
    }
    consumer.close().await;

    connection.close();
    println!("done: {}", connection.closed().await);
    Ok(())
}

/// Publishes a message to each of these queues, and waits until the broker has confirmed all of them.
async fn publish(connection: &Connection, queues: &[&str]) -> Result<(), Box<dyn Error>> {
    let channel: Channel = connection.open_channel().await?;
    let (news, mut events) = mpsc::unbounded_channel();
    channel.set_handler(Arc::new(Publisher(news)));
    channel.confirm_select().await?;

    let mut unconfirmed = Unconfirmed::default();
    let writer = channel.writer();
    for (index, queue) in queues.iter().enumerate() {
        let id = format!("message-{index}");
        let message = Message {
            routing_key: (*queue).into(),
            mandatory: true,
            properties: Properties {
                message_id: Some(id.as_str().into()),
                content_type: Some("text/plain".into()),
                ..Properties::default()
            },
            body: format!("hello {index}").into(),
            ..Message::default()
        };
        // Publishes and the list of unconfirmed messages must have the same order.
        writer.write(|out| {
            out.publish(&message);
            unconfirmed.push(id);
        })?;
    }

    while !unconfirmed.is_empty() {
        match events.recv().await.ok_or("the channel has ended")? {
            // A returned message is confirmed, too: the broker has dealt with it.
            News::Returned(id) => {
                println!("returned {}", id.map(|id| id.to_string()).unwrap_or_default());
            }
            News::Confirmed { number, multiple, confirmation } => {
                for id in unconfirmed.confirm(number, multiple) {
                    println!("confirmed {id}: {confirmation:?}");
                }
            }
            News::Ended(why) => return Err(why.into()),
        }
    }
    channel.close().await;
    Ok(())
}

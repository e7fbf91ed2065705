//! Compares with lapin's parser, as an independent implementation.

use bytes::BytesMut;
use lapin::{
    protocol::{AMQPClass, basic, channel, confirm, connection, exchange, parse_class, queue},
    types::{AMQPValue, FieldTable},
};

use super::*;

fn read(command: &Command<'_>) -> AMQPClass {
    let mut frame = BytesMut::new();
    command.write(&mut frame, 7);
    let size = u32::try_from(frame.len() - 8).unwrap().to_be_bytes();
    assert_eq!(frame[..7], [&[1, 0, 7][..], &size].concat());
    let (rest, class) = parse_class(&frame[7..]).unwrap();
    assert_eq!(rest, [0xce], "{class:?}");
    class
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

#[test]
fn queues_and_exchanges_are_declared_as_written() {
    let arguments = [
        ("x-queue-type".into(), Value::Text("quorum".into())),
        ("x-max-length".into(), Value::Integer(5)),
        ("x-single-active-consumer".into(), Value::Boolean(true)),
    ];
    let declaration = QueueDeclaration {
        name: "q",
        passive: false,
        durable: true,
        exclusive: false,
        auto_delete: false,
        arguments: &arguments,
    };
    let AMQPClass::Queue(queue::AMQPMethod::Declare(read_back)) =
        read(&Command::DeclareQueue(declaration))
    else {
        panic!("no declaration of a queue")
    };
    assert_eq!(read_back.queue.as_str(), "q");
    let flags = [read_back.passive, read_back.durable, read_back.exclusive, read_back.auto_delete];
    assert_eq!((flags, read_back.nowait), ([false, true, false, false], false));
    let mut table = FieldTable::default();
    table.insert("x-queue-type".into(), text("quorum"));
    table.insert("x-max-length".into(), AMQPValue::LongLongInt(5));
    table.insert("x-single-active-consumer".into(), AMQPValue::Boolean(true));
    assert_eq!(read_back.arguments, table);

    let own = QueueDeclaration {
        exclusive: true,
        auto_delete: true,
        passive: true,
        ..QueueDeclaration::default()
    };
    let AMQPClass::Queue(queue::AMQPMethod::Declare(own)) = read(&Command::DeclareQueue(own))
    else {
        panic!("no declaration of a queue")
    };
    assert_eq!(
        [own.passive, own.durable, own.exclusive, own.auto_delete],
        [true, false, true, true]
    );

    for passive in [false, true] {
        let declaration =
            ExchangeDeclaration { name: "rpc", kind: "topic", passive, durable: true };
        let command = Command::DeclareExchange(declaration);
        let AMQPClass::Exchange(exchange::AMQPMethod::Declare(declared)) = read(&command) else {
            panic!("no declaration of an exchange")
        };
        assert_eq!((declared.exchange.as_str(), declared.kind.as_str()), ("rpc", "topic"));
        assert_eq!((declared.passive, declared.durable), (passive, true));
        assert!(!(declared.auto_delete || declared.internal || declared.nowait));
    }

    let command = Command::Bind { queue: "q", exchange: "rpc", routing_key: "q.*" };
    let AMQPClass::Queue(queue::AMQPMethod::Bind(bound)) = read(&command) else {
        panic!("no binding")
    };
    let names = [bound.queue.as_str(), bound.exchange.as_str(), bound.routing_key.as_str()];
    assert_eq!((names, bound.nowait), (["q", "rpc", "q.*"], false));
}

#[test]
fn long_names_are_cut() {
    let name = "é".repeat(200);
    let AMQPClass::Exchange(exchange::AMQPMethod::Declare(declared)) =
        read(&Command::DeclareExchange(ExchangeDeclaration {
            name: &name,
            passive: true,
            ..ExchangeDeclaration::default()
        }))
    else {
        panic!("no declaration of an exchange")
    };
    assert_eq!(declared.exchange.as_str().len(), 254);
}

#[test]
fn consuming_names_the_acknowledgement_mode() {
    for acknowledged in [false, true] {
        let AMQPClass::Basic(basic::AMQPMethod::Consume(consume)) =
            read(&Command::Consume { queue: "q", acknowledged })
        else {
            panic!("no consuming")
        };
        assert_eq!((consume.queue.as_str(), consume.consumer_tag.as_str()), ("q", ""));
        assert_eq!(consume.no_ack, !acknowledged);
        assert!(!(consume.no_local || consume.exclusive || consume.nowait));
    }
    let AMQPClass::Basic(basic::AMQPMethod::Qos(qos)) = read(&Command::Prefetch(300)) else {
        panic!("no prefetch")
    };
    assert_eq!((qos.prefetch_count, qos.global), (300, false));
    let AMQPClass::Basic(basic::AMQPMethod::Cancel(cancel)) =
        read(&Command::Cancel { consumer: "tag" })
    else {
        panic!("no end of consuming")
    };
    assert_eq!((cancel.consumer_tag.as_str(), cancel.nowait), ("tag", false));
    let AMQPClass::Confirm(confirm::AMQPMethod::Select(select)) = read(&Command::Confirm) else {
        panic!("no confirming")
    };
    assert!(!select.nowait);
}

#[test]
fn channels_and_connections_are_opened_and_closed() {
    use channel::AMQPMethod as Channel;
    use connection::AMQPMethod as Connection;

    assert!(matches!(read(&Command::OpenChannel), AMQPClass::Channel(Channel::Open(_))));
    assert!(matches!(read(&Command::CloseChannelOk), AMQPClass::Channel(Channel::CloseOk(_))));
    let closed = read(&Command::CloseConnectionOk);
    assert!(matches!(closed, AMQPClass::Connection(Connection::CloseOk(_))));
    let AMQPClass::Channel(Channel::Close(close)) = read(&Command::CloseChannel) else {
        panic!("no end of a channel")
    };
    assert_eq!((close.reply_code, close.reply_text.as_str()), (200, "goodbye"));
    let AMQPClass::Connection(Connection::Close(close)) = read(&Command::CloseConnection) else {
        panic!("no end of a connection")
    };
    assert_eq!((close.reply_code, close.reply_text.as_str()), (200, "goodbye"));
    let AMQPClass::Connection(Connection::Open(open)) = read(&Command::EnterVirtualHost("/"))
    else {
        panic!("no virtual host")
    };
    assert_eq!(open.virtual_host.as_str(), "/");
    let tuning = Tuning { channel_max: 2047, frame_max: 131_072, heartbeat: 8 };
    let AMQPClass::Connection(Connection::TuneOk(tuned)) = read(&Command::Tune(tuning)) else {
        panic!("no tuning")
    };
    assert_eq!((tuned.channel_max, tuned.frame_max, tuned.heartbeat), (2047, 131_072, 8));
}

#[test]
fn a_login_names_the_client_and_its_capabilities() {
    let client = Client { name: "billing", product: "shop", version: "1.2.3" };
    let login = Command::Login { client, mechanism: "PLAIN", response: b"\0ada\0s3cret" };
    let AMQPClass::Connection(connection::AMQPMethod::StartOk(start)) = read(&login) else {
        panic!("no login")
    };
    assert_eq!((start.mechanism.as_str(), start.locale.as_str()), ("PLAIN", "en_US"));
    assert_eq!(start.response.as_bytes(), b"\0ada\0s3cret");
    let properties = start.client_properties.inner();
    assert_eq!(properties["connection_name"], text("billing"));
    assert_eq!(properties["product"], text("shop"));
    let AMQPValue::FieldTable(capabilities) = &properties["capabilities"] else {
        panic!("no capabilities")
    };
    assert_eq!(capabilities.inner().len(), CAPABILITIES.len());
    assert!(capabilities.inner().values().all(|value| *value == AMQPValue::Boolean(true)));
}

//! AMQP by hand, for messages that no client library can send.

mod frames;
mod properties;

use std::collections::VecDeque;
use std::io;

use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use self::frames::{BODY, HEADER, METHOD, Reader, write, write_method};
pub use self::frames::{long, short};
pub use self::properties::{Property, RawProperties};

const CHANNEL: u16 = 1;

/// A connection to RabbitMQ with one channel, which sends any bytes.
#[derive(Debug)]
pub struct RawPeer {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    /// Events that arrived before an awaited method.
    early: VecDeque<Event>,
    published: u64,
    largest_frame: usize,
}

/// A message to publish, with bytes in place of texts.
#[derive(Debug, Clone, Default)]
pub struct RawMessage {
    /// The exchange; empty for the default exchange.
    pub exchange: Vec<u8>,
    /// The routing key: on the default exchange, the name of the queue.
    pub routing_key: Vec<u8>,
    /// RabbitMQ returns it if no queue accepts it.
    pub mandatory: bool,
    /// Its properties.
    pub properties: RawProperties,
    /// Its body.
    pub body: Vec<u8>,
    /// The sizes of the body's frames; the last one gets the rest. Empty means as few frames as possible.
    pub frames: Vec<usize>,
}

/// An unrequested frame of RabbitMQ.
#[derive(Debug)]
pub enum Event {
    /// A confirmation or refusal of one message, or of all up to it.
    Confirmed {
        /// The number of the message on its channel, from 1.
        tag: u64,
        /// Whether it covers all earlier ones.
        multiple: bool,
    },
    /// A delivery, or a returned message.
    Message(RawMessage),
    /// The channel is closed; [`RawPeer::open`] opens another.
    ChannelClosed(u16, String),
}

impl RawPeer {
    /// Connects as guest, and opens a channel.
    ///
    /// # Errors
    ///
    /// If RabbitMQ closes the connection.
    pub async fn connect(port: u16) -> io::Result<Self> {
        let socket = TcpStream::connect(("127.0.0.1", port)).await?;
        socket.set_nodelay(true)?;
        let (reader, mut writer) = socket.into_split();
        writer.write_all(b"AMQP\x00\x00\x09\x01").await?;
        let reader = BufReader::new(reader);
        let mut peer =
            Self { reader, writer, early: VecDeque::new(), published: 0, largest_frame: 0 };
        peer.method(0, (10, 10)).await?;
        let login = [long(b""), short(b"PLAIN"), long(b"\0guest\0guest"), short(b"en_US")];
        peer.send(0, (10, 11), &login.concat()).await?;
        let tune = peer.method(0, (10, 30)).await?;
        peer.largest_frame =
            usize::try_from(Reader(&tune[2..]).number(4)).expect("a frame has a size");
        // No heartbeats, because this peer does not send any.
        peer.send(0, (10, 31), &[&tune[..6], &[0, 0]].concat()).await?;
        peer.send(0, (10, 40), &[short(b"/"), vec![0, 0]].concat()).await?;
        peer.method(0, (10, 41)).await?;
        peer.open().await?;
        Ok(peer)
    }

    /// Opens the channel, in confirm mode.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub async fn open(&mut self) -> io::Result<()> {
        self.send(CHANNEL, (20, 10), &[0]).await?;
        self.method(CHANNEL, (20, 11)).await?;
        self.send(CHANNEL, (85, 10), &[0]).await?;
        self.method(CHANNEL, (85, 11)).await?;
        self.published = 0;
        Ok(())
    }

    /// Declares an exclusive queue with these arguments, a table without its length field; returns its name.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub async fn declare(&mut self, name: &str, arguments: &[u8]) -> io::Result<String> {
        let declaration = [vec![0, 0], short(name.as_bytes()), vec![0b100], long(arguments)];
        self.send(CHANNEL, (50, 10), &declaration.concat()).await?;
        let declared = self.method(CHANNEL, (50, 11)).await?;
        Ok(String::from_utf8_lossy(Reader(&declared).short()).into_owned())
    }

    /// Binds a queue.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub async fn bind(&mut self, queue: &str, exchange: &str, key: &str) -> io::Result<()> {
        let names = [queue, exchange, key].map(|name| short(name.as_bytes())).concat();
        self.send(CHANNEL, (50, 20), &[&[0, 0][..], &names, &[0], &long(b"")].concat()).await?;
        self.method(CHANNEL, (50, 21)).await.map(drop)
    }

    /// Consumes a queue without acknowledgements.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub async fn consume(&mut self, queue: &str) -> io::Result<()> {
        let consumer = [vec![0, 0], short(queue.as_bytes()), short(b""), vec![0b10], long(b"")];
        self.send(CHANNEL, (60, 20), &consumer.concat()).await?;
        self.method(CHANNEL, (60, 21)).await.map(drop)
    }

    /// Publishes a message; returns its number on the channel, as in its [confirmation](Event::Confirmed).
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub async fn publish(&mut self, message: &RawMessage) -> io::Result<u64> {
        let mut out = Vec::new();
        let place = [short(&message.exchange), short(&message.routing_key)].concat();
        let arguments = [&[0, 0][..], &place, &[u8::from(message.mandatory)]].concat();
        write_method(&mut out, CHANNEL, (60, 40), &arguments);
        let size = (message.body.len() as u64).to_be_bytes();
        let header = [&[0, 60, 0, 0][..], &size, &message.properties.write()].concat();
        write(&mut out, HEADER, CHANNEL, &header);
        let mut rest = &message.body[..];
        for size in &message.frames {
            // An empty body has no frames.
            if rest.is_empty() {
                break;
            }
            let (piece, behind) = rest.split_at((*size).min(rest.len()).min(self.room()));
            write(&mut out, BODY, CHANNEL, piece);
            rest = behind;
        }
        for piece in rest.chunks(self.room()) {
            write(&mut out, BODY, CHANNEL, piece);
        }
        self.writer.write_all(&out).await?;
        self.published += 1;
        Ok(self.published)
    }

    /// Writes raw bytes.
    ///
    /// # Errors
    ///
    /// If the connection is gone.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes).await
    }

    /// The next event.
    ///
    /// # Errors
    ///
    /// If RabbitMQ closes the connection, with its reason.
    pub async fn event(&mut self) -> io::Result<Event> {
        if let Some(event) = self.early.pop_front() {
            return Ok(event);
        }
        loop {
            let (id, arguments) = self.next_method().await?;
            if let Some(event) = self.unasked(id, &arguments).await? {
                return Ok(event);
            }
        }
    }

    /// Most bytes of one frame's payload.
    pub fn room(&self) -> usize {
        self.largest_frame - 8
    }

    async fn send(&mut self, channel: u16, id: (u16, u16), arguments: &[u8]) -> io::Result<()> {
        let mut out = Vec::new();
        write_method(&mut out, channel, id, arguments);
        self.writer.write_all(&out).await
    }

    /// Waits for a method, and returns its arguments.
    async fn method(&mut self, channel: u16, expected: (u16, u16)) -> io::Result<Vec<u8>> {
        loop {
            let (id, arguments) = self.next_method().await?;
            if id == expected {
                return Ok(arguments);
            }
            match self.unasked(id, &arguments).await? {
                Some(Event::ChannelClosed(code, text)) => {
                    return Err(io::Error::other(format!("channel {channel}: {code} {text}")));
                }
                Some(event) => self.early.push_back(event),
                None => {}
            }
        }
    }

    async fn next_method(&mut self) -> io::Result<((u16, u16), Vec<u8>)> {
        loop {
            let frame = frames::read(&mut self.reader).await?;
            if frame.kind != METHOD {
                continue;
            }
            let mut reader = Reader(&frame.payload);
            let mut half = || u16::try_from(reader.number(2)).expect("two bytes");
            return Ok(((half(), half()), reader.0.to_vec()));
        }
    }

    async fn unasked(&mut self, id: (u16, u16), arguments: &[u8]) -> io::Result<Option<Event>> {
        let mut reader = Reader(arguments);
        Ok(match id {
            (60, 80 | 120) => Some(Event::Confirmed {
                tag: reader.number(8),
                multiple: reader.number(1) & 1 != 0,
            }),
            (60, 50 | 60) => {
                let code_or_consumer = if id.1 == 50 { reader.bytes(2) } else { reader.short() };
                let _ = code_or_consumer;
                let _ = if id.1 == 50 { reader.short() } else { reader.bytes(9) };
                let (exchange, key) = (reader.short().to_vec(), reader.short().to_vec());
                Some(Event::Message(self.content(exchange, key).await?))
            }
            (20, 40) => {
                let refusal = refusal(arguments);
                self.send(CHANNEL, (20, 41), &[]).await?;
                Some(Event::ChannelClosed(refusal.0, refusal.1))
            }
            (10, 50) => {
                let (code, text) = refusal(arguments);
                return Err(io::Error::other(format!("{code} {text}")));
            }
            _ => None,
        })
    }

    async fn content(&mut self, exchange: Vec<u8>, routing_key: Vec<u8>) -> io::Result<RawMessage> {
        let header = loop {
            let frame = frames::read(&mut self.reader).await?;
            if frame.kind == HEADER && frame.channel == CHANNEL {
                break frame.payload;
            }
        };
        let mut reader = Reader(&header[4..]);
        let size = usize::try_from(reader.number(8)).expect("RabbitMQ bounds bodies");
        let properties = RawProperties::read(reader.0);
        let mut body = Vec::new();
        while body.len() < size {
            let frame = frames::read(&mut self.reader).await?;
            if frame.kind == BODY {
                body.extend(frame.payload);
            }
        }
        Ok(RawMessage { exchange, routing_key, properties, body, ..RawMessage::default() })
    }
}

fn refusal(arguments: &[u8]) -> (u16, String) {
    let mut reader = Reader(arguments);
    let code = u16::try_from(reader.number(2)).expect("two bytes");
    (code, String::from_utf8_lossy(reader.short()).into_owned())
}

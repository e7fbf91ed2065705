use std::io;

use tokio::io::{AsyncReadExt as _, BufReader};
use tokio::net::tcp::OwnedReadHalf;

pub(super) const METHOD: u8 = 1;
pub(super) const HEADER: u8 = 2;
pub(super) const BODY: u8 = 3;
const END: u8 = 0xCE;

/// A received frame.
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) channel: u16,
    pub(super) payload: Vec<u8>,
}

pub(super) async fn read(from: &mut BufReader<OwnedReadHalf>) -> io::Result<Frame> {
    let kind = from.read_u8().await?;
    let channel = from.read_u16().await?;
    let size = usize::try_from(from.read_u32().await?).expect("a length fits");
    let mut payload = vec![0; size];
    from.read_exact(&mut payload).await?;
    assert_eq!(from.read_u8().await?, END, "RabbitMQ ends its frames");
    Ok(Frame { kind, channel, payload })
}

pub(super) fn write(to: &mut Vec<u8>, kind: u8, channel: u16, payload: &[u8]) {
    to.push(kind);
    to.extend(channel.to_be_bytes());
    to.extend(long(payload));
    to.push(END);
}

pub(super) fn write_method(to: &mut Vec<u8>, channel: u16, id: (u16, u16), arguments: &[u8]) {
    let payload = [&id.0.to_be_bytes()[..], &id.1.to_be_bytes(), arguments].concat();
    write(to, METHOD, channel, &payload);
}

/// A short string with one byte of length, cut to 255 bytes.
pub fn short(bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).unwrap_or(u8::MAX);
    [&[length], &bytes[..usize::from(length)]].concat()
}

/// A long string, or the content of a table, with four bytes of length.
pub fn long(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).expect("no test writes 4 GiB");
    [&length.to_be_bytes()[..], bytes].concat()
}

/// Reads arguments and properties. It panics at the end of the bytes, because RabbitMQ writes valid AMQP.
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count);
        self.0 = rest;
        bytes
    }

    pub(super) fn number(&mut self, bytes: usize) -> u64 {
        self.bytes(bytes).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    pub(super) fn short(&mut self) -> &'a [u8] {
        let length = self.number(1);
        self.bytes(usize::try_from(length).expect("a length fits"))
    }

    pub(super) fn long(&mut self) -> &'a [u8] {
        let length = self.number(4);
        self.bytes(usize::try_from(length).expect("a length fits"))
    }
}

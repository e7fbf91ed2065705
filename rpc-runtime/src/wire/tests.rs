//! Writing and reading of requests and replies.

use std::time::Duration;

use bytes::Bytes;

use super::{
    request::{timeout, timeout_header},
    *,
};
use crate::{
    codec::Encoding,
    fault::{Fault, FaultKind},
    message::{HeaderValue, Message, Properties},
    reply::Reply,
};

fn properties(content_type: Option<&str>) -> Properties {
    Properties {
        content_type: content_type.map(Into::into),
        reply_to: Some("amq.gen-x".into()),
        ..Properties::default()
    }
}

fn encoding(content_type: Option<&str>, own: Encoding) -> Result<Encoding, String> {
    let properties = properties(content_type);
    let read = read_request(&properties, own).map(|request| request.encoding);
    read.map_err(|fault| fault.to_string())
}

const MISSING: [Option<&str>; 6] = [
    None,
    Some(""),
    Some(" "),
    Some("application/octet-stream"),
    Some("Application/Octet-Stream"),
    Some("application/octet-stream; type=any"),
];

#[test]
fn a_missing_content_type_defaults_except_for_bincode() {
    for written in MISSING {
        for own in [Encoding::Json, Encoding::Text] {
            assert_eq!(encoding(written, own), Ok(own), "{written:?}");
        }
        let refused = encoding(written, Encoding::Bincode).unwrap_err();
        assert!(refused.starts_with("unsupported-encoding: content_type is missing"), "{refused}");
    }
    assert_eq!(
        encoding(None, Encoding::Bincode).unwrap_err(),
        "unsupported-encoding: content_type is missing; set it to application/json for a body in JSON, to text/plain for \
         plain text, or to application/x-bincode for bincode"
    );
    let octets = encoding(Some("application/octet-stream"), Encoding::Bincode).unwrap_err();
    assert!(
        octets.contains(r#"missing ("application/octet-stream" names no encoding); set it to"#),
        "{octets}"
    );
}

#[test]
fn any_service_accepts_a_known_content_type() {
    for own in [Encoding::Bincode, Encoding::Json, Encoding::Text] {
        assert_eq!(encoding(Some("Application/JSON; charset=x"), own), Ok(Encoding::Json));
        assert_eq!(encoding(Some("application/x-bincode"), own), Ok(Encoding::Bincode));
        assert_eq!(encoding(Some("TEXT/PLAIN;a"), own), Ok(Encoding::Text));
        for unknown in ["application/xml", "application/octet", "octet-stream", "json"] {
            let refused = encoding(Some(unknown), own).unwrap_err();
            assert!(refused.contains(unknown) && !refused.contains("missing"), "{refused}");
        }
    }
}

#[test]
fn content_encodings_of_plain_bodies_are_read() {
    let read = |written: &str| {
        let properties = Properties { content_encoding: Some(written.into()), ..properties(None) };
        read_request(&properties, Encoding::Json).is_ok()
    };
    for written in ["", "utf-8", "UTF8", "us-ascii", "US-ASCII", "binary", "identity"] {
        assert!(read(written), "{written:?}");
    }
    for written in ["gzip", "latin-1", "base64", "utf-16"] {
        assert!(!read(written), "{written:?}");
    }
}

fn fault_reply(content_type: Option<&str>, own: Encoding, fault: Fault) -> Message {
    let address = ReturnAddress::of(&properties(content_type), own).unwrap();
    write_reply(&address, Reply::Fault(fault))
}

fn written(content_type: Option<&str>, own: Encoding, fault: Fault) -> (String, String) {
    let reply = fault_reply(content_type, own, fault);
    let body = String::from_utf8(reply.body.to_vec()).unwrap();
    (reply.properties.content_type.unwrap_or_default().to_string(), body)
}

#[test]
fn a_faults_body_has_the_requests_encoding() {
    use Encoding::{Bincode, Json, Text};

    let fault = || Fault::new(FaultKind::BadArguments, "\"n\" is\nmissing");
    let json = r#"{"err":{"fault":"bad-arguments","message":"\"n\" is\nmissing"}}"#;
    let text = "fault: bad-arguments: \"n\" is\nmissing";
    for (content_type, own, expected, body) in [
        (Some("application/json"), Bincode, "application/json", json),
        (Some("APPLICATION/JSON; charset=utf-8"), Text, "application/json", json),
        (Some("text/plain"), Bincode, "text/plain", text),
        (Some("application/x-bincode"), Json, "application/x-bincode", ""),
        (Some("application/xml"), Json, "text/plain", text),
        (Some("application/octet-stream"), Json, "application/json", json),
        (Some("application/octet-stream"), Bincode, "text/plain", text),
        (None, Json, "application/json", json),
        (None, Text, "text/plain", text),
        (None, Bincode, "text/plain", text),
    ] {
        let read = written(content_type, own, fault());
        assert_eq!(read, (expected.to_owned(), body.to_owned()), "{content_type:?} at {own}");
    }
    let short = written(None, Text, Fault::new(FaultKind::Overloaded, ""));
    assert_eq!(short.1, "fault: overloaded", "never empty");
}

#[test]
fn the_body_of_a_fault_is_bounded() {
    let fault = || Fault::with_word("w".repeat(100_000), "\u{1}".repeat(100_000));
    for (content_type, max) in [("application/json", 7 * 1024), ("text/plain", 1_200)] {
        let body = written(Some(content_type), Encoding::Bincode, fault()).1;
        assert!((1024..max).contains(&body.len()), "{content_type} {}", body.len());
    }
}

#[test]
fn a_fault_is_read_from_its_headers_only() {
    let fault = Fault::new(FaultKind::TooLarge, "why").ran(true);
    let reply = fault_reply(Some("application/json"), Encoding::Json, fault.clone());
    for body in [&reply.body[..], b"", b"5", b"{", b"\xff"] {
        match read_reply(&reply.properties, Bytes::copy_from_slice(body)) {
            ReceivedReply::Fault(read) => assert_eq!(read, fault),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_reply_too_large_becomes_a_smaller_fault() {
    let too_large = || Fault::new(FaultKind::TooLarge, "too large for the broker").ran(true);
    let address = ReturnAddress::of(&properties(Some("text/plain")), Encoding::Bincode).unwrap();
    let result = Reply::Result { body: Bytes::from(vec![0; 9_000]), encoding: Encoding::Text };
    let replaced = fault_in_place_of(&write_reply(&address, result), too_large());
    assert_eq!(replaced.body, "fault: too-large: too large for the broker");
    // A fault stays the same, without its body.
    let fault = Fault::new(FaultKind::BadArguments, "x".repeat(1_000));
    let fault = fault_reply(Some("text/plain"), Encoding::Bincode, fault);
    let replaced = fault_in_place_of(&fault, too_large());
    assert_eq!((&replaced.properties, &replaced.body[..]), (&fault.properties, &b""[..]));
}

#[test]
fn a_reply_defaults_to_the_requests_encoding() {
    for written in MISSING {
        let read = read_reply(&properties(written), Bytes::new());
        assert!(matches!(read, ReceivedReply::Result { encoding: None, .. }), "{written:?}");
    }
    let read = read_reply(&properties(Some("application/xml")), Bytes::new());
    assert!(matches!(read, ReceivedReply::Unreadable(_)));
}

#[test]
fn the_timeout_is_written_in_32_bits() {
    assert_eq!(timeout_header(1), HeaderValue::Small(1));
    let max = i32::MAX.unsigned_abs();
    assert_eq!(timeout_header(max), HeaderValue::Small(i32::MAX));
    assert_eq!(timeout_header(max + 1), HeaderValue::Integer(i64::from(max) + 1));
}

/// Older versions of this framework wrote 64 bits. Programs in other languages write any size, or text.
#[test]
fn a_timeout_of_any_size_is_read() {
    for value in [
        HeaderValue::Integer(5_000),
        HeaderValue::Small(5_000),
        HeaderValue::Text("5000".into()),
        HeaderValue::Text(" 5000 ".into()),
    ] {
        assert_eq!(timeout(&value).unwrap(), Duration::from_secs(5), "{value:?}");
    }
    for value in [HeaderValue::Integer(-1), HeaderValue::Small(-1)] {
        assert_eq!(timeout(&value).unwrap(), Duration::ZERO);
    }
}

use super::*;

fn parse(text: &str) -> Result<Address, ConnectError> {
    Address::parse(text, Duration::from_secs(8), false)
}

#[test]
fn an_address_is_shown_without_user_and_password() {
    let address = parse("amqp://ada:s3cret@rabbit.example:5673/%2f").unwrap();
    assert_eq!(address.to_string(), "amqp://rabbit.example:5673/%2f");
    assert!(!format!("{address:?}").contains("s3cret"));
}

#[test]
fn an_invalid_address_shows_no_password() {
    for (text, why) in [
        ("ada:s3cret@rabbit", "no scheme"),
        ("http://ada:s3cret@rabbit/", "neither amqp nor amqps"),
        ("amqp://ada:s3cret@rabbit:port/", "its port"),
        ("amqps://ada:s3cret@rabbit:0x/", "its port"),
        ("amqp://ada:s3@cret@rabbit:99999/", "its port"),
        ("amqp://ada:s3cret@::1/", "its port"),
        ("amqp://ada:s3cret@[::1/", "closing bracket"),
        ("amqp://ada:s3cret@[::1]5672/", "follows the bracket"),
        ("amqp://ada:s3cret@rab bit/", "its host"),
        ("amqp://ada:s3%ffcret@rabbit/", "no text"),
        ("amqp://ada:s3cret@rabbit/?heartbeat=-1", "a parameter"),
        ("amqp://ada:s3cret@rabbit/?auth_mechanism=magic", "auth_mechanism"),
        ("amqp://ada:s3cret", "its port"),
        ("ada:s3cret@amqp://rabbit", "neither amqp nor amqps"),
        ("ada:s3cret", "no scheme"),
        // Characters in a password that would end the host.
        ("amqp://ada:12/3s3cret@rabbit", "%2F"),
        ("amqp://ada:s3#cret@rabbit/", "%23"),
        ("amqp://ada:s3?cret@rabbit/", "%3F"),
        ("amqp://ada:12?s3cret@rabbit/", "%3F"),
        ("amqp://ada:s3/cr@et@rabbit/", "%40"),
        ("amqp://rabbit/v?password=s3@cret", "%40"),
        ("amqp://rabbit/v#s3@cret", "%40"),
        // Passwords in addresses without `@host`, or with it too early.
        ("amqp://ada:99999s3cret", "its port"),
        ("amqp://ada:12s3cret/", "its port"),
        ("amqp://ada@rabbit:s3cret", "its port"),
        ("amqp://rabbit:0x?password=s3cret", "its port"),
        ("amqp://rabbit:0x/s3cret", "its port"),
        ("amqp://ada:s3%00cret@rabbit", "code 0"),
        ("ada:s3cret://rabbit", "neither amqp nor amqps"),
    ] {
        let error = parse(text).map(drop).unwrap_err();
        assert_eq!(error.kind(), ConnectErrorKind::InvalidAddress, "{text}");
        let shown = format!("{error:?} {error}");
        assert!(!shown.contains("s3"), "{shown}");
        assert!(shown.contains(why), "{shown}");
        // One colon stands before the reason. All others belong to addresses.
        assert_eq!(error.to_string().matches(": ").count(), 1, "{error}");
    }
}

#[test]
fn an_empty_address_is_called_empty() {
    for text in ["", " \n"] {
        let error = parse(text).map(drop).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the address of the broker is empty; it has the form amqp://user:password@host:5672/vhost, where the virtual host / \
             is written %2f"
        );
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_is_refused_without_the_feature() {
    let error = parse("amqps://rabbit.example").map(drop).unwrap_err();
    assert_eq!(error.kind(), ConnectErrorKind::TlsUnavailable);
}

#[test]
fn an_ipv6_literal_is_kept() {
    let address = parse("amqp://guest:guest@[::1]:5672/%2f").unwrap();
    assert_eq!(address.host(), "::1");
    assert_eq!(address.to_string(), "amqp://[::1]:5672/%2f");
    assert_eq!(parse("amqp://[::1]").unwrap().port(), 5672);
}

#[test]
fn the_query_goes_before_the_options() {
    let text =
        "amqp://rabbit/?heartbeat=3&frame_max=1&channel_max=7&auth_mechanism=EXTERNAL&else=1";
    let address = parse(text).unwrap();
    let expected = Tuning { channel_max: 7, frame_max: 8192, heartbeat: 3 };
    assert_eq!(address.tuning(), expected);
    assert_eq!(address.login(), Login::External);
    assert_eq!(address.response(), b"");
    assert_eq!(parse("amqp://rabbit").unwrap().tuning().heartbeat, 8);
    assert_eq!(parse("amqp://rabbit?heartbeat=0").unwrap().tuning().heartbeat, 0);
    let as_you_like = parse("amqp://rabbit?frame_max=0&channel_max=0").unwrap().tuning();
    assert_eq!((as_you_like.frame_max, as_you_like.channel_max), (FRAME_MAX, CHANNEL_MAX));
}

#[test]
fn long_names_are_refused() {
    let long = "v".repeat(256);
    assert!(parse(&format!("amqp://rabbit/{}", &long[1..])).is_ok());
    let error = parse(&format!("amqp://rabbit/{long}")).unwrap_err();
    assert!(error.to_string().contains("longer than the 255 bytes"), "{error}");
    let error = parse(&format!("amqp://{long}@rabbit")).unwrap_err();
    assert!(error.to_string().contains("longer than the 255 bytes"), "{error}");
}

#[test]
fn names_are_measured_decoded() {
    let name = "%C3%A4".repeat(127);
    assert_eq!(parse(&format!("amqp://{name}@rabbit/{name}")).unwrap().user().len(), 254);
    assert!(parse(&format!("amqp://{name}%C3%A4@rabbit")).is_err());
}

#[test]
fn a_password_may_be_a_token_of_kilobytes() {
    for password in ["t".repeat(900), "%2B".repeat(100), "t".repeat(MAX_PASSWORD)] {
        let address = parse(&format!("amqp://ada:{password}@rabbit")).unwrap();
        let decoded = password.replace("%2B", "+");
        assert_eq!(address.response(), format!("\0ada\0{decoded}").as_bytes());
    }
    let error = parse(&format!("amqp://ada:{}@rabbit", "t".repeat(MAX_PASSWORD + 1))).unwrap_err();
    assert!(error.to_string().contains("64 KiB"), "{error}");
}

#[test]
fn a_virtual_host_is_shown_encoded() {
    let address = parse("amqp://rabbit/a%2fb%0a%40,%20c").unwrap();
    assert_eq!(address.to_string(), "amqp://rabbit:5672/a%2fb%0a%40%2c%20c");
}

#[test]
fn an_empty_password_is_a_password() {
    assert_eq!(parse("amqp://ada:@rabbit").unwrap().response(), b"\0ada\0");
    assert_eq!(parse("amqp://ada@rabbit").unwrap().response(), b"\0ada\0guest");
}

/// Addresses are shared by programs in many languages, so common spellings have to work.
#[test]
fn addresses_parse_as_in_lapin() {
    for text in [
        "amqp://localhost",
        "amqp://localhost/",
        " AMQP://localhost/v\n",
        "amqp://localhost:5673",
        "amqp://rabbit/%2f",
        "amqp://rabbit/a/b",
        "amqp://rabbit/sp%20ace",
        "amqp://ada@rabbit",
        "amqp://@rabbit",
        "amqp://:pass@rabbit",
        "amqp://ada:pa%40ss%3aw%2F@rabbit:1/v",
        "amqp://ada:pa@ss@rabbit",
        "amqp://rabbit?heartbeat=5&channel_max=9&frame_max=8192",
        "amqp://rabbit/v?auth_mechanism=external#more",
        "amqp://192.0.2.7:1",
        #[cfg(feature = "tls")]
        "amqps://ada:pass@rabbit.example",
    ] {
        let (ours, theirs) = (parse(text).unwrap(), text.parse::<lapin::uri::AMQPUri>().unwrap());
        let encrypted = theirs.scheme == lapin::uri::AMQPScheme::AMQPS;
        assert_eq!(ours.encrypted, encrypted, "{text}");
        assert_eq!(
            (&ours.host, ours.port),
            (&theirs.authority.host, theirs.authority.port),
            "{text}"
        );
        let login = &theirs.authority.userinfo;
        assert_eq!((&ours.user, &ours.password), (&login.username, &login.password), "{text}");
        assert_eq!(ours.virtual_host, theirs.vhost, "{text}");
        let query = theirs.query;
        let tuning = Tuning {
            channel_max: query.channel_max.unwrap_or(CHANNEL_MAX),
            frame_max: query.frame_max.unwrap_or(FRAME_MAX),
            heartbeat: query.heartbeat.unwrap_or(8),
        };
        assert_eq!(ours.tuning(), tuning, "{text}");
        let mechanism = query.auth_mechanism.unwrap_or_default().name();
        assert_eq!(ours.login().mechanism(), mechanism, "{text}");
    }
}

//! The values that are offered to types. The first of a list is neither zero nor empty, the second is.

/// For whole numbers: sizes, parts of dates and times, codes of characters, bounds of types, ports, amounts and moments.
pub(super) const NUMBERS: &[i64] = &[
    1, 0, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 24, 32, 48, 60, 64, 65, 90, 97, 100, 127, -1, 128,
    200, 255, 256, 443, 500, 1_000, 1_024, 2_000, 4_096, 8_080, 10_000, 65_535, 100_000, 1_000_000,
    MOMENT, MOMENT_MS,
];

const MOMENT: i64 = 2_000_000_000;
const MOMENT_MS: i64 = 1_700_000_000_000;

pub(super) const FLOATS: &[f64] = &[1.0, 0.0, 0.5, 2.0, 10.0, 45.0, 100.0, -1.0, 1_000.0];

pub(super) const CHARACTERS: &[char] = &['a', '0', 'A', '1', ' ', '-', '+', 'é'];

pub(super) const TEXTS: &[&str] = &[
    "a",
    "",
    // Times.
    "2000-01-01T00:00:00Z",
    "2000-01-01",
    "00:00:00",
    "2000-01-01T00:00:00",
    "2000-01-01 00:00:00",
    "2000-01-01T00:00:00+00:00[UTC]",
    "Sat, 01 Jan 2000 00:00:00 GMT",
    "2000-01",
    "2000",
    "UTC",
    "+00:00",
    "Europe/Paris",
    "PT1S",
    "P1D",
    "1s",
    "Mon",
    "Monday",
    "January",
    // Numbers.
    "1",
    "0.5",
    "1.00",
    "100%",
    "true",
    // Ids.
    "67e55044-10b1-426f-9247-bb680e5fe0c8",
    "67E5504410B1426F9247BB680E5FE0C8",
    "01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "0123456789abcdef01234567",
    "0123456789abcdef",
    "00",
    "0x00",
    "aaaa",
    "AAAA",
    "YQ==",
    // Places in a network.
    "http://example.org/",
    "https://example.org",
    "/",
    "example.org",
    "example.org:80",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.0/8",
    "::1",
    "[::1]:80",
    "00:00:00:00:00:00",
    "a@example.org",
    "GET",
    "HTTP/1.1",
    "text/plain",
    // Codes.
    "en",
    "en-US",
    "EN",
    "DE",
    "USD",
    "1 USD",
    "#000000",
    "rgb(0, 0, 0)",
    "+12025550123",
    "1.0.0",
    "^1.0",
    "v1",
    "A",
    "a.b",
    "a/b",
    "a:b",
    "a-b",
    "a_b",
    "a b",
    "ab",
    "abc",
    "Abcdef1!",
    "{}",
    "[]",
    "null",
    "4111111111111111",
    "DE89370400440532013000",
    "POINT(0 0)",
];

/// For bytes: so many, all of them this one.
pub(super) const BYTES: &[(usize, u8)] = &[
    (1, 1),
    (0, 0),
    (16, 0),
    (4, 1),
    (8, 1),
    (20, 1),
    (32, 1),
    (64, 1),
    (2, 1),
    (3, 1),
    (6, 1),
    (12, 1),
    (24, 1),
    (28, 1),
    (33, 2),
    (48, 1),
    (65, 4),
    (16, 1),
    (5, 1),
    (7, 1),
    (10, 1),
];

/// For sequences and maps: how many elements.
pub(super) const LENGTHS: &[usize] = &[1, 0, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 20, 24, 32, 64];

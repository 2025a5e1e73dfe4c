//! What is asked.

use std::io::{self, Read};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use super::pages::Answer;

/// A request may be so long, without a body.
const MOST_BYTES: usize = 8 << 10;
const MOST_HEADERS: usize = 64;

/// As much of a request as is looked at.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// Without its body.
    pub(super) head_only: bool,
    pub(super) path: String,
    pub(super) query: String,
    host: Option<String>,
}

/// Why there is no request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The other side went, or was too slow.
    Gone,
    TooLong,
    Malformed,
    /// Only GET and HEAD are answered.
    Method,
}

impl Refusal {
    pub(super) fn answer(&self) -> Option<Answer> {
        match self {
            Refusal::Gone => None,
            Refusal::TooLong => Some(Answer::error(431, "The request is too long.\n")),
            Refusal::Malformed => Some(Answer::error(400, "This is no request of HTTP/1.\n")),
            Refusal::Method => Some(Answer::error(405, "Only GET and HEAD are answered.\n")),
        }
    }
}

impl Request {
    /// Reads a request until `end`.
    pub(super) fn read(mut stream: &TcpStream, end: Instant) -> Result<Request, Refusal> {
        let mut bytes = Vec::new();
        loop {
            if let Some(request) = Request::parse(&bytes)? {
                return Ok(request);
            }
            if bytes.len() >= MOST_BYTES {
                return Err(Refusal::TooLong);
            }
            let mut more = [0; 1024];
            let left = until(end).and_then(|left| stream.set_read_timeout(Some(left)));
            match left.and_then(|()| stream.read(&mut more)) {
                Ok(0) => return Err(Refusal::Gone),
                Ok(n) => bytes.extend_from_slice(&more[..n]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Refusal::Gone),
            }
        }
    }

    /// The request, if it is whole.
    fn parse(bytes: &[u8]) -> Result<Option<Request>, Refusal> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(_)) => {}
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooLong),
            Err(_) => return Err(Refusal::Malformed),
        }
        let head_only = match parsed.method {
            Some("GET") => false,
            Some("HEAD") => true,
            _ => return Err(Refusal::Method),
        };
        let target = parsed.path.unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut hosts = parsed
            .headers
            .iter()
            .filter(|h| h.name.eq_ignore_ascii_case("host"));
        let host = hosts.next().map(|h| String::from_utf8_lossy(h.value));
        Ok(Some(Request {
            head_only,
            path: path.into(),
            query: query.into(),
            host: host.map(Into::into),
        }))
    }

    /// False if it was asked by another name than this machine's own: a page of the web may have been told that its name is this address.
    pub(super) fn is_for_this_machine(&self) -> bool {
        let Some(host) = self.host.as_deref() else {
            return true;
        };
        let name = match host.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => host.split(':').next().unwrap_or_default(),
        };
        let ip = name.parse::<IpAddr>();
        name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// What the query says of a key.
    pub(super) fn asks(&self, key: &str) -> Option<&str> {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

/// How long it is until then.
pub(super) fn until(end: Instant) -> io::Result<Duration> {
    let left = end.checked_duration_since(Instant::now());
    left.filter(|left| !left.is_zero())
        .ok_or(io::ErrorKind::TimedOut.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_told_from_what_is_none() {
        let whole = b"GET /metrics?a=1&debug=2 HTTP/1.1\r\nHost: localhost:1\r\n\r\n";
        let request = Request::parse(whole).unwrap().unwrap();
        assert_eq!(request.path, "/metrics");
        assert_eq!(
            (request.asks("debug"), request.asks("b")),
            (Some("2"), None)
        );
        assert!(!request.head_only && request.is_for_this_machine());
        for len in 0..whole.len() {
            assert_eq!(Request::parse(&whole[..len]), Ok(None), "{len} bytes of it");
        }
        let of = |text: &str| Request::parse(text.as_bytes());
        assert_eq!(of("POST / HTTP/1.1\r\n\r\n"), Err(Refusal::Method));
        assert_eq!(of("\u{1}\u{2}\r\n\r\n"), Err(Refusal::Malformed));
        assert_eq!(of("GET / HTTP/9.9\r\n\r\n"), Err(Refusal::Malformed));
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(65));
        assert_eq!(of(&many), Err(Refusal::TooLong));
        assert!(of("HEAD / HTTP/1.0\r\n\r\n").unwrap().unwrap().head_only);
    }

    #[test]
    fn other_names_are_not_this_machine() {
        let asked_by = |host: &str| {
            let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
            let request = Request::parse(request.as_bytes()).unwrap().unwrap();
            request.is_for_this_machine()
        };
        for host in [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:6060",
            "127.8.9.1",
            "[::1]:9",
        ] {
            assert!(asked_by(host), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example:80",
            "10.0.0.1",
            "[::2]:1",
            "",
        ] {
            assert!(!asked_by(host), "{host}");
        }
    }
}

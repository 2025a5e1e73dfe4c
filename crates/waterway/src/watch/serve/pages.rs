//! What is answered.

use super::request::Request;
use super::{metrics, pprof};
use crate::rt::sched::started;
use crate::watch::Snapshot;
use crate::watch::data::Text;

/// An answer, but for its first lines.
pub(super) struct Answer {
    status: u16,
    kind: &'static str,
    /// The body's length, whether it is sent or not.
    len: usize,
    pub(super) body: Vec<u8>,
}

const TEXT: &str = "text/plain; charset=utf-8";

const INDEX: &str = "\
<!doctype html>
<meta charset=\"utf-8\">
<title>waterway</title>
<h1>waterway</h1>
<ul>
<li><a href=\"/debug/pprof/goroutine?debug=1\">all goroutines</a>, ten or more that are alike together
<li><a href=\"/debug/pprof/goroutine?debug=2\">all goroutines with backtraces</a>
<li><a href=\"/debug/pprof/goroutine\">all goroutines as a profile</a>, for <code>go tool pprof</code>
<li><a href=\"/snapshot.json\">everything as JSON</a>
<li><a href=\"/metrics\">counts for Prometheus</a>
</ul>
";

impl Answer {
    fn new(kind: &'static str, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        Answer {
            status: 200,
            kind,
            len: body.len(),
            body,
        }
    }

    pub(super) fn error(status: u16, text: &str) -> Answer {
        Answer {
            status,
            ..Answer::new(TEXT, text)
        }
    }

    /// Everything before the body.
    pub(super) fn head(&self) -> String {
        let phrase = match self.status {
            200 => "OK",
            400 => "Bad Request",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            _ => "Request Header Fields Too Large",
        };
        let (status, kind, len) = (self.status, self.kind, self.len);
        // Browsers are not to take it for anything else, nor to lend it to other pages.
        format!(
            "HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\nContent-Length: {len}\r\nConnection: close\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nAllow: GET, HEAD\r\n\r\n"
        )
    }
}

pub(super) fn answer(request: &Request) -> Answer {
    let mut answer = page(request);
    if request.head_only {
        answer.body = Vec::new();
    }
    answer
}

fn page(request: &Request) -> Answer {
    match request.path.as_str() {
        "/" | "/debug/pprof" | "/debug/pprof/" => Answer::new("text/html; charset=utf-8", INDEX),
        "/debug/pprof/goroutine" => match request.asks("debug") {
            None | Some("0") => {
                Answer::new("application/octet-stream", pprof::profile(&take(true)))
            }
            Some("1") => dump(take(false).text()),
            Some("2") => dump(take(true).text().grouped(false)),
            Some(_) => Answer::error(400, "debug is 0, 1 or 2.\n"),
        },
        "/snapshot.json" => match serde_json::to_vec(&take(false)) {
            Ok(json) => Answer::new("application/json", json),
            Err(error) => Answer::error(400, &format!("{error}\n")),
        },
        "/metrics" => Answer::new(
            "text/plain; version=0.0.4; charset=utf-8",
            metrics::text(&take(false)),
        ),
        _ => Answer::error(
            404,
            "There is no such page: / lists those that are there.\n",
        ),
    }
}

/// Each goroutine of a dump begins with an empty line: not the first of a page.
fn dump(text: Text<'_>) -> Answer {
    Answer::new(TEXT, text.to_string().trim_start_matches('\n'))
}

fn take(backtraces: bool) -> Snapshot {
    crate::watch::snapshot::take(started(), backtraces)
}

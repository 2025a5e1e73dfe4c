//! What a program is doing, over HTTP.
//!
//! A few threads wait for connections, and each serves one at a time: who is slow, or never reads his answer, keeps one of them for
//! some seconds, and nobody else. They live for ever, and belong to the runtime: they wake nobody, so a deadlock of the rest is seen
//! beside them. Of a request only its first line and `Host` are looked at.

mod metrics;
mod pages;
mod pprof;
mod request;

use std::fmt;
use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream, ToSocketAddrs};
use std::panic::catch_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::pages::Answer;
use self::request::Request;
use crate::primitives::start_thread;
use crate::rt::say::say;
use crate::rt::sched::runtime;
use crate::rt::thread::mark_internal;

/// So many are served at once; others wait for their turn.
const AT_ONCE: usize = 4;
/// How long a request may take to come, and an answer to be read.
const ASKING: Duration = Duration::from_secs(5);
const READING: Duration = Duration::from_secs(20);
/// An answer is written in pieces of so many bytes.
const PIECE: usize = 1 << 16;

/// Serves what the program is doing at `addr`, from now on, on threads of its own. Only this machine can ask: `addr` must be a loopback
/// address (for others see [`Serve`]). Port 0 takes a free one: see [`Server::addr`].
///
/// | path | what |
/// | --- | --- |
/// | `/debug/pprof/goroutine` | all goroutines as a profile, for `go tool pprof` |
/// | `/debug/pprof/goroutine?debug=1` | the dump, ten or more that are alike together |
/// | `/debug/pprof/goroutine?debug=2` | the dump with backtraces, each by itself |
/// | `/snapshot.json` | the [snapshot](super::snapshot()) |
/// | `/metrics` | counts for Prometheus |
///
/// `/metrics` has the families of [`flow::metrics`](crate::flow::metrics()), and these:
///
/// | family | of what |
/// | --- | --- |
/// | `waterway_goroutines{state,reason}` | goroutines that live, by what they do and what they wait for |
/// | `waterway_goroutines_spawned_total`, `_ended_total` | goroutines since the start |
/// | `waterway_max_procs`, `waterway_workers`, `_busy`, `_held` | threads that may run goroutines at once; that are there, are inside of a goroutine, and are held by one for too long |
/// | `waterway_timers` | timers that are set |
/// | `waterway_blocking_threads`, `_running`, `_queued` | threads for what blocks in the kernel, jobs on them, and jobs that wait for one |
/// | `waterway_locks_held` | locks that are held, of those that were ever waited for |
/// | `waterway_channels{channel,made_at}` | channels of one name that were made at one line |
/// | `waterway_channel_length`, `_capacity`, `_senders_waiting`, `_receivers_waiting` | sums over these: values in them, values that they hold (0 without a limit), and who waits |
/// | `waterway_verdicts`, `waterway_suspects` | what the dump says is proved, and what looks so |
///
/// Those of channels go by name and line, without the `id` that the families of `flow::metrics` have.
///
/// # Errors
///
/// The address is none, or is not a loopback address, or the system refuses it.
///
/// # Blocking
///
/// Never parks; it may look up a name.
///
/// ```
/// let server = waterway::watch::serve("127.0.0.1:0").unwrap();
/// println!("go tool pprof http://{}/debug/pprof/goroutine", server.addr());
/// ```
///
/// Go: `net/http/pprof`.
#[track_caller]
pub fn serve(addr: impl ToSocketAddrs + fmt::Display) -> Result<Server, ServeError> {
    Serve::new().start(addr)
}

/// How to [`serve`].
///
/// ```
/// use waterway::watch::Serve;
/// let refused = Serve::new().start("0.0.0.0:0").unwrap_err();
/// assert!(refused.to_string().contains("loopback"));
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[must_use = "nothing is served before `start`"]
pub struct Serve {
    beyond_loopback: bool,
}

impl Serve {
    /// As [`serve`] does.
    ///
    /// ```
    /// let server = waterway::watch::Serve::new().start("127.0.0.1:0").unwrap();
    /// assert!(server.addr().ip().is_loopback());
    /// ```
    pub fn new() -> Serve {
        Serve::default()
    }

    /// Whether an address may be used that other machines can reach. Then whoever reaches it reads names of functions and files, and may
    /// cost the program time: there is no password. A line on standard error says so.
    ///
    /// ```
    /// use waterway::watch::Serve;
    /// assert!(Serve::new().start("0.0.0.0:0").is_err());
    /// let server = Serve::new().beyond_loopback(true).start("0.0.0.0:0").unwrap();
    /// assert!(server.addr().ip().is_unspecified());
    /// ```
    ///
    /// Go: none: `http.ListenAndServe` takes any address.
    pub fn beyond_loopback(mut self, on: bool) -> Serve {
        self.beyond_loopback = on;
        self
    }

    /// Serves from now on.
    ///
    /// ```
    /// use std::io::{Read, Write};
    /// use std::net::TcpStream;
    ///
    /// use waterway::watch::Serve;
    /// let server = Serve::new().start("127.0.0.1:0").unwrap();
    /// let mut stream = TcpStream::connect(server.addr()).unwrap();
    /// stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    /// let mut answer = String::new();
    /// stream.read_to_string(&mut answer).unwrap();
    /// assert!(answer.starts_with("HTTP/1.1 200"));
    /// ```
    ///
    /// # Errors
    ///
    /// As [`serve`].
    ///
    /// Go: `http.ListenAndServe`, with `net/http/pprof` imported.
    #[track_caller]
    pub fn start(self, addr: impl ToSocketAddrs + fmt::Display) -> Result<Server, ServeError> {
        let failed = |why: String| ServeError(format!("cannot serve on {addr}: {why}"));
        let found = addr.to_socket_addrs().map_err(|error| {
            failed(format!(
                "{error}. An address is a host and a port, as in 127.0.0.1:6060"
            ))
        })?;
        let found: Vec<SocketAddr> = found.collect();
        if found.is_empty() {
            return Err(failed("the name has no address".into()));
        }
        let beyond = found.iter().find(|addr| !addr.ip().is_loopback());
        if let Some(beyond) = beyond.filter(|_| !self.beyond_loopback) {
            return Err(failed(format!(
                "{} is not a loopback address, so other machines could read what this program does. Take {}, or allow it with \
                 Serve::new().beyond_loopback(true)",
                beyond.ip(),
                SocketAddr::from((Ipv4Addr::LOCALHOST, beyond.port()))
            )));
        }
        let system = |error: io::Error| failed(error.to_string());
        let listener = TcpListener::bind(&found[..]).map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => failed(format!(
                "{error}: this process or another has it: take another port, or 0 for a free one"
            )),
            _ => system(error),
        })?;
        let addr = listener.local_addr().map_err(system)?;
        if !addr.ip().is_loopback() {
            say(format_args!(
                "waterway: what this program does is served on {addr} to whoever reaches it, without a password\n"
            ));
        }
        runtime();
        let listener = Arc::new(listener);
        let local = addr.ip().is_loopback();
        for n in 0..AT_ONCE {
            let listener = listener.clone();
            let started = start_thread(format!("waterway-serve-{n}"), move || {
                mark_internal();
                serve_all(&listener, local);
            });
            match started {
                // One is enough.
                Err(error) if n == 0 => return Err(failed(format!("no thread: {error}"))),
                Err(_) => break,
                Ok(()) => {}
            }
        }
        Ok(Server { addr })
    }
}

/// What [`serve`] gives. It is served until the process ends, whether this is kept or not.
///
/// ```
/// let server: waterway::watch::Server = waterway::watch::serve("127.0.0.1:0").unwrap();
/// let addr = server.addr();
/// drop(server);
/// assert!(std::net::TcpStream::connect(addr).is_ok(), "it is still served");
/// ```
///
/// Go: `http.Server`.
#[derive(Clone, Copy, Debug)]
pub struct Server {
    addr: SocketAddr,
}

impl Server {
    /// Where it is served.
    ///
    /// ```
    /// let server = waterway::watch::serve("localhost:0").unwrap();
    /// assert!(server.addr().ip().is_loopback() && server.addr().port() != 0);
    /// ```
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Why nothing is served: the address, what is wrong with it, and what to do.
///
/// ```
/// let error = waterway::watch::serve("nowhere").unwrap_err();
/// assert!(error.to_string().contains("a host and a port"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeError(String);

impl fmt::Display for ServeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ServeError {}

/// One connection after the other, for ever.
fn serve_all(listener: &TcpListener, local: bool) {
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                // Whatever happens to one, the next is served. What it used is lost with it, and refers to nothing else.
                let _ = catch_unwind(move || drop(serve_one(&stream, local)));
            }
            // No descriptor left, perhaps: not in a circle.
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

fn serve_one(stream: &TcpStream, local: bool) -> io::Result<()> {
    let answer = match Request::read(stream, Instant::now() + ASKING) {
        Ok(request) if local && !request.is_for_this_machine() => Answer::error(
            403,
            "This is for the machine that it runs on: ask by localhost, 127.0.0.1 or [::1].\n",
        ),
        Ok(request) => pages::answer(&request),
        Err(refusal) => match refusal.answer() {
            Some(answer) => answer,
            None => return Ok(()),
        },
    };
    let end = Instant::now() + READING;
    write_all(stream, answer.head().as_bytes(), end)?;
    write_all(stream, &answer.body, end)?;
    stream.shutdown(Shutdown::Write)
}

/// Writes it all until `end`, however slowly it is read.
fn write_all(mut stream: &TcpStream, bytes: &[u8], end: Instant) -> io::Result<()> {
    for piece in bytes.chunks(PIECE) {
        let mut rest = piece;
        while !rest.is_empty() {
            stream.set_write_timeout(Some(request::until(end)?))?;
            match stream.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => rest = &rest[n..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(100)
    }

    #[test]
    fn who_never_reads_is_given_up() {
        let (_client, served) = pair();
        let much = vec![b'x'; 64 << 20];
        let error = write_all(&served, &much, soon()).unwrap_err();
        use io::ErrorKind::{TimedOut, WouldBlock};
        assert!([TimedOut, WouldBlock].contains(&error.kind()), "{error}");
    }

    #[test]
    fn who_never_asks_is_given_up() {
        let (mut client, served) = pair();
        client.write_all(b"GET / HTTP/1.1\r\nHost: ").unwrap();
        let refusal = Request::read(&served, soon()).unwrap_err();
        assert_eq!(refusal, request::Refusal::Gone);
        assert!(refusal.answer().is_none());
    }
}

//! Stack overflow: says which goroutine, and aborts. What runs here runs in a signal handler.

use std::io::Write;

use waterway_stack::GUARD_SIZE;

use super::worker;

pub(super) fn install() {
    waterway_stack::install_overflow_handler(report);
}

/// Prints to a buffer on the stack, then with one `write`.
struct Line {
    bytes: [u8; 1024],
    len: usize,
}

impl Write for Line {
    fn write(&mut self, buf: &[u8]) -> std::io::Result<usize> {
        let n = buf.len().min(self.bytes.len() - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&buf[..n]);
        self.len += n;
        Ok(buf.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// True, and said so, if the address lies in the guard of the running goroutine's stack.
fn report(address: usize) -> bool {
    let Some(task) = worker::current() else {
        return false;
    };
    let stack = task.stack_range();
    if !(stack.start - GUARD_SIZE..stack.start).contains(&address) {
        return false;
    }
    let who = task.identity();
    let name = who.name.as_deref().unwrap_or("");
    let space = if name.is_empty() { "" } else { " " };
    let mut line = Line {
        bytes: [0; 1024],
        len: 0,
    };
    // As it was asked for: with the guard, and with what lies at the top, which is less than a page.
    let size = (stack.len() + GUARD_SIZE).next_multiple_of(4096);
    // Writing to `Line` cannot fail.
    let _ = write!(
        line,
        "\nwaterway: goroutine {}{space}{name}, spawned at {}:{}:{}, has overflowed its stack of {size} bytes (its guard of \
         {GUARD_SIZE} included). ",
        who.id,
        who.site.file(),
        who.site.line(),
        who.site.column(),
    );
    let _ = match who.main {
        true => writeln!(
            line,
            "Main and tests have as much as `ulimit -s` allows at the start; Builder::stack_size gives other goroutines more."
        ),
        false => writeln!(
            line,
            "Builder::stack_size gives this goroutine more, WATERWAY_STACK_SIZE={} all.",
            (2 * size).min(1 << 30)
        ),
    };
    let _ = writeln!(line, "fatal error: stack overflow");
    let _ = rustix::io::write(rustix::stdio::stderr(), &line.bytes[..line.len]);
    true
}

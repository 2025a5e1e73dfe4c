//! Stack overflow: says which goroutine, and aborts. What runs here runs in a signal handler.

use std::io::Write;

use waterway_stack::GUARD_SIZE;

use super::worker;

pub(super) fn install() {
    waterway_stack::install_overflow_handler(report);
}

/// Prints to a buffer on the stack, then with one `write`.
struct Line {
    bytes: [u8; 512],
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
    let who = &task.identity;
    let name = who.name.as_deref().unwrap_or("");
    let space = if name.is_empty() { "" } else { " " };
    let mut line = Line {
        bytes: [0; 512],
        len: 0,
    };
    // Writing to `Line` cannot fail.
    let _ = writeln!(
        line,
        "\nwaterway: goroutine {}{space}{name}, spawned at {}:{}:{}, has overflowed its stack of {} bytes. Give it more \
         with Builder::stack_size or WATERWAY_STACK_SIZE.\nfatal error: stack overflow",
        who.id,
        who.site.file(),
        who.site.line(),
        who.site.column(),
        stack.len(),
    );
    let _ = rustix::io::write(rustix::stdio::stderr(), &line.bytes[..line.len]);
    true
}

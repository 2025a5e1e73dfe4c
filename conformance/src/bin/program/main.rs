//! Programs that need a process of their own: `program NAME`. The tests run them; each says whom it answers to.

#![forbid(unsafe_code)]

mod crash;
mod oracle;
mod sched;

fn main() {
    let name = std::env::args().nth(1).unwrap_or_default();
    let all = [crash::PROGRAMS, sched::PROGRAMS, oracle::PROGRAMS].concat();
    let Some((_, program)) = all.iter().find(|(own, _)| *own == name) else {
        panic!("there is no program {name:?}");
    };
    program();
}

//! The frames of a fiber that is suspended, told from a copy of its stack: the fiber does not run, and its memory is not touched.
//!
//! Rules to go from a frame to its caller stand in `.eh_frame` of each module. They are copied at first, so that a module that is
//! unloaded meanwhile does no harm; a rule that is out of date gives a wrong frame, or an end, and nothing worse: every word comes
//! from the copies.
//!
//! # Invariants
//!
//! - I1: `dl_iterate_phdr` calls back with a valid `dl_phdr_info`, whose module stays while the callback runs.

use std::collections::HashMap;
use std::ops::Range;

use gimli::{
    BaseAddresses, CfaRule, EhFrame, EhFrameHdr, NativeEndian, Pointer, Register, RegisterRule,
    UnwindContext, UnwindSection, UnwindTableRow,
};

use crate::switch::SAVED;

#[cfg(target_arch = "x86_64")]
const SP: Register = gimli::X86_64::RSP;
#[cfg(target_arch = "x86_64")]
const FP: Register = gimli::X86_64::RBP;
#[cfg(target_arch = "x86_64")]
const RETURN: Register = gimli::X86_64::RA;
#[cfg(target_arch = "aarch64")]
const SP: Register = gimli::AArch64::SP;
#[cfg(target_arch = "aarch64")]
const FP: Register = gimli::AArch64::X29;
#[cfg(target_arch = "aarch64")]
const RETURN: Register = gimli::AArch64::X30;

/// Unwinds stacks that do not move. Rules are looked up once for each address.
#[derive(Debug)]
pub struct Unwinder {
    modules: Vec<Module>,
    rules: HashMap<usize, Option<Rule>>,
}

/// Code that was loaded from one file, and its tables.
#[derive(Debug)]
struct Module {
    code: Vec<Range<usize>>,
    header: Section,
    frames: Section,
}

#[derive(Debug)]
struct Section {
    at: usize,
    bytes: Vec<u8>,
}

/// How to go from a frame to its caller.
#[derive(Clone, Copy, Debug)]
struct Rule {
    /// The frame's end lies so far from the stack pointer, or the frame pointer.
    from_fp: bool,
    end: i64,
    /// Where the return address lies, from the end.
    back: i64,
    /// Where the caller's frame pointer lies, if the function has saved it.
    fp: Option<i64>,
}

impl Unwinder {
    /// Reads the tables of what is loaded now.
    pub fn new() -> Unwinder {
        Unwinder {
            modules: modules(),
            rules: HashMap::new(),
        }
    }

    /// The addresses that calls return to in the frames of a fiber that was left, innermost first, `most` at most. `stack` is a copy of
    /// its stack from `left`, where it was left, on.
    pub fn frames(&mut self, left: usize, stack: &[u8], most: usize) -> Vec<usize> {
        let word = |at: usize| -> Option<usize> {
            let bytes = stack.get(at.checked_sub(left)?..)?.first_chunk()?;
            Some(usize::from_ne_bytes(*bytes))
        };
        let (saved_fp, saved_ip, saved) = SAVED;
        let (Some(mut fp), Some(ip)) = (word(left + saved_fp), word(left + saved_ip)) else {
            return Vec::new();
        };
        let (mut sp, mut ips) = (left + saved, vec![ip]);
        while ips.len() < most {
            // The call counts, not what follows it.
            let Some(rule) = self.rule(ips[ips.len() - 1] - 1) else {
                break;
            };
            let base = if rule.from_fp { fp } else { sp };
            let end = base.wrapping_add_signed(rule.end as isize);
            let at = |offset: i64| word(end.wrapping_add_signed(offset as isize));
            let Some(back) = at(rule.back).filter(|back| *back > 1 && end > sp) else {
                break;
            };
            fp = match rule.fp {
                None => fp,
                Some(offset) => match at(offset) {
                    Some(saved) => saved,
                    None => break,
                },
            };
            sp = end;
            ips.push(back);
        }
        ips
    }

    fn rule(&mut self, ip: usize) -> Option<Rule> {
        let modules = &self.modules;
        *self.rules.entry(ip).or_insert_with(|| {
            let module = modules
                .iter()
                .find(|m| m.code.iter().any(|c| c.contains(&ip)))?;
            module.rule(ip)
        })
    }
}

impl Default for Unwinder {
    fn default() -> Unwinder {
        Unwinder::new()
    }
}

impl Module {
    fn rule(&self, ip: usize) -> Option<Rule> {
        let bases = BaseAddresses::default()
            .set_eh_frame_hdr(self.header.at as u64)
            .set_eh_frame(self.frames.at as u64);
        let header = EhFrameHdr::new(&self.header.bytes, NativeEndian);
        let header = header.parse(&bases, size_of::<usize>() as u8).ok()?;
        let frames = EhFrame::new(&self.frames.bytes, NativeEndian);
        let mut context = UnwindContext::new();
        let row = header.table()?.unwind_info_for_address(
            &frames,
            &bases,
            &mut context,
            ip as u64,
            EhFrame::cie_from_offset,
        );
        Rule::of(row.ok()?)
    }
}

impl Rule {
    /// The rule of a row, if it is as compilers write them for functions.
    fn of(row: &UnwindTableRow<usize>) -> Option<Rule> {
        let (register, end) = match *row.cfa() {
            CfaRule::RegisterAndOffset { register, offset } => (register, offset),
            CfaRule::Expression(_) => return None,
        };
        let from_fp = match register {
            SP => false,
            FP => true,
            _ => return None,
        };
        let saved = |register| match row.register(register) {
            Some(RegisterRule::Offset(offset)) => Some(offset),
            _ => None,
        };
        Some(Rule {
            from_fp,
            end,
            back: saved(RETURN)?,
            fp: saved(FP),
        })
    }
}

/// The tables of all that is loaded.
fn modules() -> Vec<Module> {
    extern "C" fn visit(
        info: *mut libc::dl_phdr_info,
        _size: libc::size_t,
        data: *mut libc::c_void,
    ) -> libc::c_int {
        // SAFETY: I1; `data` is the vector that was passed below, and `phdr` has `phnum` entries.
        let (info, modules, headers) = unsafe {
            let info = &*info;
            let count = info.dlpi_phnum as usize;
            let headers = std::slice::from_raw_parts(info.dlpi_phdr, count);
            (info, &mut *data.cast::<Vec<Module>>(), headers)
        };
        modules.extend(module(info.dlpi_addr as usize, headers));
        0
    }
    let mut modules: Vec<Module> = Vec::new();
    // SAFETY: the callback takes what is passed here, and is called only before this returns.
    unsafe { libc::dl_iterate_phdr(Some(visit), (&raw mut modules).cast()) };
    modules
}

/// The tables of one module, which is loaded at `base`.
fn module(base: usize, headers: &[libc::Elf64_Phdr]) -> Option<Module> {
    let loaded = |header: &libc::Elf64_Phdr| {
        let start = base.wrapping_add(header.p_vaddr as usize);
        start..start.wrapping_add(header.p_memsz as usize)
    };
    let of = |kind: u32| headers.iter().filter(move |h| h.p_type == kind);
    let code = of(libc::PT_LOAD).filter(|h| h.p_flags & libc::PF_X != 0);
    let table = of(libc::PT_GNU_EH_FRAME).next().map(loaded)?;
    let header = section(table.start, table.end)?;
    let bases = BaseAddresses::default().set_eh_frame_hdr(table.start as u64);
    let parsed =
        EhFrameHdr::new(&header.bytes, NativeEndian).parse(&bases, size_of::<usize>() as u8);
    let frames = match parsed.ok()?.eh_frame_ptr() {
        Pointer::Direct(at) => at as usize,
        Pointer::Indirect(_) => return None,
    };
    // Its length is written nowhere: to the end of what was loaded with it.
    let around = of(libc::PT_LOAD)
        .map(loaded)
        .find(|r| r.contains(&frames))?;
    Some(Module {
        code: code.map(loaded).collect(),
        frames: section(frames, around.end)?,
        header,
    })
}

/// A copy of what is loaded at an address.
fn section(from: usize, to: usize) -> Option<Section> {
    use std::os::unix::fs::FileExt;
    let mut bytes = vec![0; to.checked_sub(from)?];
    let memory = std::fs::File::open("/proc/self/mem").ok()?;
    memory.read_exact_at(&mut bytes, from as u64).ok()?;
    Some(Section { at: from, bytes })
}

/// A function that code belongs to, and the line, as far as the program's debug information tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeLine {
    /// The function's name, without its hash.
    pub function: Option<String>,
    /// The file.
    pub file: Option<String>,
    /// The line; 0 if unknown.
    pub line: u32,
}

/// The functions that an address of code belongs to: those that were inlined there, and the one that they were inlined into. The first
/// call loads the program's debug information, which takes a tenth of a second and more.
pub fn lines_at(ip: usize) -> Vec<CodeLine> {
    let mut lines = Vec::new();
    backtrace::resolve(ip as *mut _, |symbol| {
        lines.push(CodeLine {
            function: symbol.name().map(|name| format!("{name:#}")),
            file: symbol.filename().map(|file| file.display().to_string()),
            line: symbol.lineno().unwrap_or(0),
        });
    });
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fiber;

    #[inline(never)]
    fn innermost(from: &Fiber, to: &Fiber, depth: usize) -> usize {
        if depth == 0 {
            // SAFETY: it runs, and the test's own fiber was left for it.
            unsafe { from.switch(to) };
            return 1;
        }
        // Not in tail position, so that there is a frame for each.
        let below = outer(from, to, depth - 1);
        std::hint::black_box(below) + 1
    }

    #[inline(never)]
    fn outer(from: &Fiber, to: &Fiber, depth: usize) -> usize {
        let buffer = [depth; 100];
        let below = innermost(from, to, depth);
        std::hint::black_box(&buffer)[0] + below
    }

    /// Every frame of a fiber that was left is there, in order, and none of whoever entered it.
    #[test]
    fn the_frames_of_a_fiber_that_was_left_are_told() {
        const SIZE: usize = 1 << 16;
        let mut stack = vec![0u128; SIZE / 16];
        let bottom = stack.as_mut_ptr() as usize;
        let here = Fiber::of_thread();
        let there = std::cell::OnceCell::new();
        let body = || {
            innermost(there.get().unwrap(), &here, 3);
            &raw const here
        };
        // SAFETY: memory of this fiber's alone, until it has finished below; what it borrows outlives it.
        let fiber = there.get_or_init(|| unsafe { Fiber::new(bottom + SIZE, bottom, body) });
        // SAFETY: this runs, and the fiber is new.
        unsafe { here.enter(fiber) };
        let left = fiber.left_at().expect("it was left");
        let copy = section(left, bottom + SIZE).unwrap();
        let ips = Unwinder::new().frames(left, &copy.bytes, 100);
        let names = ips.iter().flat_map(|ip| lines_at(ip - 1));
        let names: Vec<String> = names.filter_map(|line| line.function).collect();
        let calls: Vec<&str> = names
            .iter()
            .map(|name| name.rsplit("::").next().unwrap())
            .filter(|name| ["innermost", "outer"].contains(name))
            .collect();
        let expected = [
            "innermost",
            "outer",
            "innermost",
            "outer",
            "innermost",
            "outer",
            "innermost",
        ];
        assert_eq!(calls, expected, "{names:#?}");
        assert!(names.len() < 20, "it ends where the fiber does: {names:#?}");
        // SAFETY: this runs, and the fiber was left.
        unsafe { here.switch(fiber) };
    }
}

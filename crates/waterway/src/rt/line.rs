//! Lines: goroutines of one turn each of which hands on to the next, as the stages of a pipeline do. A line is cut where that parts it
//! evenly, and whoever is at its open end is taken for its spawner: so what passes along it changes workers once on two of them,
//! whatever order its stages were spawned in.
//!
//! Where one goes is known only once the others are, so who has a channel in common with one that was spawned in the same turn waits in
//! its spawner's own queue, where idle workers may take it over, until that turn is over.
//!
//! # Invariants
//!
//! - I1: what is here of a worker is called on its own thread (`worker` I1).
//! - I2: the cell of a member is an address to be compared: it may have been started by a thief, and be another one's by now.

use super::cell::{CellHeader, Unstarted};
use super::row::{Links, MOST, Row};
use super::sched::Runtime;
use super::ties::Ties;
use super::worker::Worker;

/// Fewer are never parted: they may be partners.
const FEWEST: usize = 3;

/// The goroutines of this turn that may stand in a line.
#[derive(Default)]
pub(super) struct Line {
    members: [Option<Member>; MOST],
    len: usize,
    /// Two of them have a channel in common: else nobody waits here, and nothing is to be cut.
    tied: bool,
    /// The last two have the same ends.
    alike: bool,
    /// A bit, which others may share, for each end that they have.
    ends: u64,
}

/// See [`Line::ends`].
fn bit(end: u64) -> u64 {
    1 << (end % 64)
}

/// See [`Line`].
struct Member {
    cell: *const CellHeader,
    ties: Ties,
    /// The worker that it goes to unless it stands in a line.
    target: usize,
}

/// Where members go, by their place in the line.
type Targets = [usize; MOST];

impl Line {
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn clear(&mut self) {
        self.len = 0;
        self.tied = false;
        self.alike = false;
        self.ends = 0;
    }

    fn is_full(&self) -> bool {
        self.len == MOST
    }

    fn members(&self) -> impl Iterator<Item = &Member> {
        self.members[..self.len].iter().flatten()
    }

    /// True if the ties have the other end of a channel that a member has.
    fn is_tied_to(&self, ties: &Ties) -> bool {
        let has_other = |end: u64| self.members().any(|member| member.has_other(end));
        let may = |end: u64| self.ends & (bit(end - 1) | bit(end + 1)) != 0;
        ties.ends().iter().any(|end| may(*end) && has_other(*end))
    }

    /// True if the last member has the same ends.
    #[inline]
    fn ends_with(&self, ties: &Ties) -> bool {
        let last = self
            .len
            .checked_sub(1)
            .and_then(|n| self.members[n].as_ref());
        last.is_some_and(|last| last.ties.ends().iter().eq(ties.ends()))
    }

    /// True if the last two have the same ends: they stand beside each other, and so will this one.
    #[inline]
    fn goes_on_as(&self, ties: &Ties) -> bool {
        self.alike && self.ends_with(ties)
    }

    fn push(&mut self, member: Member, tied: bool) {
        self.alike = self.ends_with(&member.ties);
        let ends = member.ties.ends().iter();
        self.ends |= ends.fold(0, |bits, end| bits | bit(*end));
        self.members[self.len] = Some(member);
        self.len += 1;
        self.tied |= tied;
    }

    /// Where each member goes, if it was spawned on the worker of index `own`, of so many.
    fn targets(&self, own: usize, workers: usize) -> Targets {
        let mut targets = [own; MOST];
        for (target, member) in targets.iter_mut().zip(self.members()) {
            *target = member.target;
        }
        if self.len >= FEWEST
            && let Some(links) = self.links()
        {
            for first in (0..self.len).filter(|n| links.begins_at(*n)) {
                self.cut(links.row(first), own, workers, &mut targets);
            }
        }
        targets
    }

    /// Who hands on to whom, if nobody takes from two or gives to two.
    fn links(&self) -> Option<Links> {
        let mut links = Links::default();
        for (from, giver) in self.members().enumerate() {
            for end in giver.ties.ends().iter().filter(|end| self.is_alone(**end)) {
                // The line of a receiver follows that of a sender.
                let receiver = end + 1;
                let to = self.members().position(|member| member.has(receiver));
                if let Some(to) = to
                    && to != from
                    && self.is_alone(receiver)
                    && !links.add(from, to)
                {
                    return None;
                }
            }
        }
        Some(links)
    }

    /// True if one member at most has this end.
    fn is_alone(&self, end: u64) -> bool {
        self.members().filter(|member| member.has(end)).count() <= 1
    }

    /// True if this member alone has the end of a channel, and none the other end.
    fn is_open(&self, n: usize) -> bool {
        let ends = self.members[n].iter().flat_map(|member| member.ties.ends());
        let mut alone = ends.filter(|end| self.is_alone(**end));
        alone.any(|end| !self.members().any(|member| member.has_other(*end)))
    }

    /// Cuts a row of members into parts of the same weight, two at least in each. The spawner counts as one where it holds an end.
    fn cut(&self, row: Row, own: usize, workers: usize, targets: &mut Targets) {
        let Row { mut places, len } = row;
        let places = &mut places[..len];
        let [first, .., last] = *places else {
            return;
        };
        if len < FEWEST {
            return;
        }
        let (open_first, open_last) = (self.is_open(first), self.is_open(last));
        if !open_first && (open_last || last < first) {
            places.reverse();
        }
        let mut before = usize::from(open_first || open_last);
        let total = before + places.iter().map(|n| self.weight(*n)).sum::<usize>();
        let parts = workers.min(total.div_ceil(2));
        if parts < 2 {
            return;
        }
        for n in &*places {
            let part = (before * parts / total).min(parts - 1);
            targets[*n] = (own + part) % workers;
            before += self.weight(*n);
        }
    }

    /// What hands over in short turns is no load.
    fn weight(&self, n: usize) -> usize {
        usize::from(self.members[n].iter().any(|m| !m.ties.are_short))
    }
}

impl Member {
    fn has(&self, end: u64) -> bool {
        self.ties.ends().contains(&end)
    }

    /// True if it has the other end of the channel with this end.
    fn has_other(&self, end: u64) -> bool {
        self.has(end - 1) || self.has(end + 1)
    }
}

impl Worker {
    /// The running goroutine spawns this one, which goes to `target` unless it stands in a line. True if that is to be seen: then it
    /// belongs into this worker's own queue for now.
    pub(super) fn line_up(
        &'static self,
        rt: &'static Runtime,
        cell: &Unstarted,
        ties: &Ties,
        target: usize,
    ) -> bool {
        if ties.ends().is_empty() || self.index >= rt.usual() {
            return false;
        }
        // SAFETY: I1; not used beyond the next lines.
        let own = unsafe { self.own() };
        if own.pushed > 0 && own.line.goes_on_as(ties) {
            return false;
        }
        if own.pushed == 0 || own.line.is_full() {
            self.part_line(rt);
        }
        // SAFETY: I1; not used beyond the next lines, which call nobody.
        let line = &mut unsafe { self.own() }.line;
        let tied = line.is_tied_to(ties);
        let waits = tied || target == self.index;
        if waits {
            let (cell, ties) = (cell.header(), *ties);
            line.push(Member { cell, ties, target }, tied);
        }
        waits
    }

    /// The turn is over, or where its goroutines go is to be known: those that are to go elsewhere do.
    #[inline]
    pub(crate) fn part_line(&'static self, rt: &'static Runtime) {
        // SAFETY: I1.
        if !unsafe { self.own() }.line.is_empty() {
            self.part(rt);
        }
    }

    fn part(&'static self, rt: &'static Runtime) {
        // SAFETY: I1; not used beyond the next lines, which call nobody.
        let line = &mut unsafe { self.own() }.line;
        if !line.tied {
            line.clear();
            return;
        }
        let targets = line.targets(self.index, rt.usual());
        let len = line.len;
        let mut leavers = [(std::ptr::null(), 0); MOST];
        for (n, member) in line.members().enumerate() {
            if targets[n] != member.target {
                member.ties.resettle(targets[n]);
            }
            leavers[n] = (member.cell, targets[n]);
        }
        line.clear();
        for (cell, target) in leavers.into_iter().take(len) {
            if target != self.index
                // SAFETY: I1. A thief may have it (I2).
                && let Some(cell) = unsafe { self.fresh.take_out(cell) }
            {
                rt.spawn_elsewhere(cell, target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The ends of the channel of this number.
    fn tx(channel: u64) -> u64 {
        10 + 5 * channel
    }

    fn rx(channel: u64) -> u64 {
        tx(channel) + 1
    }

    /// Spawned in this order; who knows of none goes to worker 7.
    fn line(members: &[&[u64]]) -> Line {
        let mut line = Line::default();
        for ends in members {
            let (cell, ties) = (std::ptr::null(), Ties::with(ends));
            let target = 7;
            line.push(Member { cell, ties, target }, true);
        }
        line
    }

    fn targets(members: &[&[u64]], workers: usize) -> Vec<usize> {
        line(members).targets(0, workers)[..members.len()].to_vec()
    }

    /// A stage that takes from one channel and gives to the next.
    fn stage(from: u64) -> [u64; 2] {
        [rx(from), tx(from + 1)]
    }

    #[test]
    fn a_pipeline_whose_spawner_takes_what_comes_out_is_cut_once() {
        let stages = [0, 1, 2, 3].map(stage);
        let [a, b, c, d] = stages.each_ref().map(|ends| &ends[..]);
        let source = [tx(0)];
        assert_eq!(targets(&[a, b, c, d, &source], 2), [1, 1, 0, 0, 1]);
        assert_eq!(targets(&[&source, a, b, c, d], 2), [1, 1, 1, 0, 0]);
        assert_eq!(targets(&[d, b, c, a, &source], 2), [0, 1, 0, 1, 1]);
        assert_eq!(targets(&[a, b, c, d, &source], 3), [2, 1, 1, 0, 2]);
        assert_eq!(targets(&[a, b, c, d, &source], 8), [2, 1, 1, 0, 2]);
        assert_eq!(targets(&[a, b, c, d, &source], 1), [7; 5], "one worker");
    }

    #[test]
    fn a_pipeline_whose_spawner_feeds_it_is_cut_once() {
        let stages = [0, 1, 2, 3].map(stage);
        let [a, b, c, d] = stages.each_ref().map(|ends| &ends[..]);
        assert_eq!(targets(&[a, b, c, d, &[rx(4)]], 2), [0, 0, 1, 1, 1]);
    }

    #[test]
    fn a_pipeline_whose_spawner_has_no_part_in_it_begins_where_it_was_begun() {
        let stages = [0, 1, 2].map(stage);
        let [a, b, c] = stages.each_ref().map(|ends| &ends[..]);
        let (source, sink) = ([tx(0)], [rx(3)]);
        assert_eq!(targets(&[&source, a, b, c, &sink], 2), [0, 0, 0, 1, 1]);
        assert_eq!(targets(&[&sink, c, b, a, &source], 2), [0, 0, 0, 1, 1]);
    }

    #[test]
    fn who_hands_over_in_short_turns_is_no_load() {
        let stages = [0, 1, 2, 3].map(stage);
        let [a, b, c, d] = stages.each_ref().map(|ends| &ends[..]);
        let mut line = line(&[a, b, c, d, &[tx(0)]]);
        let short = |line: &mut Line, n: usize| {
            line.members[n].as_mut().expect("a member").ties.are_short = true;
        };
        short(&mut line, 4);
        assert_eq!(line.targets(0, 2)[..5], [1, 1, 0, 0, 1]);
        (0..4).for_each(|n| short(&mut line, n));
        assert_eq!(line.targets(0, 2)[..5], [7; 5], "nobody computes");
    }

    #[test]
    fn what_is_no_line_goes_where_it_would() {
        let pair: [&[u64]; 2] = [&[tx(0), rx(1)], &[rx(0), tx(1)]];
        assert_eq!(targets(&pair, 2), [7; 2]);
        let two: [&[u64]; 2] = [&[tx(0)], &[rx(0), tx(1)]];
        assert_eq!(targets(&two, 2), [7; 2]);
        let select: [&[u64]; 3] = [&[tx(0)], &[tx(1)], &[rx(0), rx(1)]];
        assert_eq!(targets(&select, 2), [7; 3]);
        let merged: [&[u64]; 4] = [&[tx(0)], &[rx(0), tx(1)], &[rx(1), rx(2)], &[tx(2)]];
        assert_eq!(targets(&merged, 2), [7; 4]);
        let shared: [&[u64]; 4] = [&[tx(0)], &[tx(0)], &[rx(0)], &[rx(0)]];
        assert_eq!(targets(&shared, 2), [7; 4]);
        let ring: [&[u64]; 3] = [&[tx(0), rx(2)], &[rx(0), tx(1)], &[rx(1), tx(2)]];
        assert_eq!(targets(&ring, 2), [7; 3]);
        let strangers: [&[u64]; 3] = [&[tx(0)], &[tx(1)], &[tx(2)]];
        assert_eq!(targets(&strangers, 2), [7; 3]);
    }

    #[test]
    fn what_all_have_a_part_of_ties_nobody() {
        let done = tx(9);
        let stages = [0, 1, 2, 3].map(|n| [rx(n), tx(n + 1), done]);
        let [a, b, c, d] = stages.each_ref().map(|ends| &ends[..]);
        assert_eq!(targets(&[a, b, c, d, &[tx(0), done]], 2), [1, 1, 0, 0, 1]);
    }
}

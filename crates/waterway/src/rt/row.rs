//! Who of some hands on to whom, and the rows that they make: for the goroutines of one turn (`line`).

/// So many are looked at together.
pub(super) const MOST: usize = 16;

/// Who hands on to whom, and takes from whom.
#[derive(Default)]
pub(super) struct Links {
    next: [Option<usize>; MOST],
    before: [Option<usize>; MOST],
}

impl Links {
    /// False if one of them has another such partner.
    pub(super) fn add(&mut self, from: usize, to: usize) -> bool {
        *self.next[from].get_or_insert(to) == to && *self.before[to].get_or_insert(from) == from
    }

    pub(super) fn begins_at(&self, n: usize) -> bool {
        self.before[n].is_none() && self.next[n].is_some()
    }

    /// The row that begins with this member. It ends, for nobody has two before it.
    pub(super) fn row(&self, first: usize) -> Row {
        let mut row = Row {
            places: [0; MOST],
            len: 0,
        };
        let mut next = Some(first);
        while let Some(n) = next {
            row.places[row.len] = n;
            row.len += 1;
            next = self.next[n];
        }
        row
    }
}

/// Members, each of which hands on to the next.
pub(super) struct Row {
    pub(super) places: [usize; MOST],
    pub(super) len: usize,
}

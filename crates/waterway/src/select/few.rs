//! A list that needs no memory of its own while it is short: most selects have few arms.

const INLINE: usize = 8;

pub(super) struct Few<T> {
    inline: [Option<T>; INLINE],
    more: Vec<T>,
    len: usize,
}

impl<T> Few<T> {
    pub(super) fn new() -> Few<T> {
        Few {
            inline: [const { None }; INLINE],
            more: Vec::new(),
            len: 0,
        }
    }

    pub(super) fn push(&mut self, value: T) {
        match self.inline.get_mut(self.len) {
            Some(place) => *place = Some(value),
            None => self.more.push(value),
        }
        self.len += 1;
    }

    pub(super) fn get(&self, index: usize) -> &T {
        match self.inline.get(index) {
            Some(place) => place.as_ref().expect("an index below `len`"),
            None => &self.more[index - INLINE],
        }
    }

    pub(super) fn get_mut(&mut self, index: usize) -> &mut T {
        match self.inline.get_mut(index) {
            Some(place) => place.as_mut().expect("an index below `len`"),
            None => &mut self.more[index - INLINE],
        }
    }
}

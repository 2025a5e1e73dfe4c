//! Values that are cells: what `with` would be written for again and again, as std has it for thread-locals.

use std::cell::{Cell, RefCell};

use super::LocalKey;

impl<T: 'static> LocalKey<Cell<T>> {
    /// Sets the caller's value. The initialiser is not called.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    ///
    /// ```
    /// use std::cell::Cell;
    /// waterway::local! { static STEP: Cell<u32> = Cell::new(1); }
    /// STEP.set(2);
    /// assert_eq!((STEP.get(), STEP.replace(3), STEP.take()), (2, 2, 3));
    /// ```
    #[track_caller]
    pub fn set(&'static self, value: T) {
        let mut value = Some(value);
        let cell = self.get_or(|| Cell::new(value.take().expect("called once")));
        match (cell, value) {
            (Ok(cell), Some(value)) => cell.set(value),
            (Ok(_), None) => {}
            (Err(error), _) => panic!("{error}; it was declared at {}", self.site),
        }
    }

    /// The caller's value.
    ///
    /// ```
    /// use std::cell::Cell;
    /// waterway::local! { static STEP: Cell<u32> = Cell::new(1); }
    /// assert_eq!(STEP.get(), 1);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    /// The caller's value, which is a default one afterwards.
    ///
    /// ```
    /// use std::cell::Cell;
    /// waterway::local! { static STEP: Cell<u32> = Cell::new(1); }
    /// assert_eq!((STEP.take(), STEP.take()), (1, 0));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(Cell::take)
    }

    /// The caller's value, in place of which `value` is put.
    ///
    /// ```
    /// use std::cell::Cell;
    /// waterway::local! { static STEP: Cell<u32> = Cell::new(1); }
    /// assert_eq!((STEP.replace(2), STEP.get()), (1, 2));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with).
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

impl<T: 'static> LocalKey<RefCell<T>> {
    /// Calls `f` with the caller's value, borrowed.
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with), and if the value is borrowed mutably.
    ///
    /// ```
    /// use std::cell::RefCell;
    /// waterway::local! { static LINES: RefCell<Vec<String>> = RefCell::default(); }
    /// LINES.with_borrow_mut(|lines| lines.push("one".into()));
    /// assert_eq!(LINES.with_borrow(|lines| lines.len()), 1);
    /// assert_eq!(LINES.replace(vec![]).len() + LINES.take().len(), 1);
    /// ```
    #[track_caller]
    pub fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
        self.with(|cell| f(&cell.borrow()))
    }

    /// Calls `f` with the caller's value, borrowed mutably.
    ///
    /// ```
    /// use std::cell::RefCell;
    /// waterway::local! { static LINES: RefCell<Vec<u32>> = RefCell::new(vec![1]); }
    /// LINES.with_borrow_mut(|lines| lines.push(2));
    /// assert_eq!(LINES.take(), [1, 2]);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`with`](Self::with), and if the value is borrowed.
    #[track_caller]
    pub fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
        self.with(|cell| f(&mut cell.borrow_mut()))
    }

    /// Sets the caller's value. The initialiser is not called.
    ///
    /// ```
    /// use std::cell::RefCell;
    /// waterway::local! { static LINES: RefCell<Vec<u32>> = RefCell::new(vec![1]); }
    /// LINES.set(vec![7]);
    /// assert_eq!(LINES.take(), [7]);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`with_borrow_mut`](Self::with_borrow_mut).
    #[track_caller]
    pub fn set(&'static self, value: T) {
        let mut value = Some(value);
        let cell = self.get_or(|| RefCell::new(value.take().expect("called once")));
        match (cell, value) {
            (Ok(cell), Some(value)) => drop(cell.replace(value)),
            (Ok(_), None) => {}
            (Err(error), _) => panic!("{error}; it was declared at {}", self.site),
        }
    }

    /// The caller's value, which is a default one afterwards.
    ///
    /// ```
    /// use std::cell::RefCell;
    /// waterway::local! { static LINES: RefCell<Vec<u32>> = RefCell::new(vec![1]); }
    /// assert_eq!((LINES.take(), LINES.take()), (vec![1], vec![]));
    /// ```
    ///
    /// # Panics
    ///
    /// As [`with_borrow_mut`](Self::with_borrow_mut).
    #[track_caller]
    pub fn take(&'static self) -> T
    where
        T: Default,
    {
        self.with(RefCell::take)
    }

    /// The caller's value, in place of which `value` is put.
    ///
    /// ```
    /// use std::cell::RefCell;
    /// waterway::local! { static LINES: RefCell<Vec<u32>> = RefCell::new(vec![1]); }
    /// assert_eq!(LINES.replace(vec![2]), [1]);
    /// ```
    ///
    /// # Panics
    ///
    /// As [`with_borrow_mut`](Self::with_borrow_mut).
    #[track_caller]
    pub fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

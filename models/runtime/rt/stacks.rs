//! Stacks that are nothing.

use super::config::Config;

#[derive(Debug)]
pub struct Stack;

#[derive(Debug)]
pub struct StackError;

impl std::fmt::Display for StackError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("no stack")
    }
}

pub(crate) fn fetch_alike(_: usize) {}

pub(crate) struct Stacks;

impl Stacks {
    pub(crate) fn new(_config: &Config) -> Stacks {
        Stacks
    }

    pub(crate) fn take(&self, _size: usize) -> Result<Stack, StackError> {
        Ok(Stack)
    }

    pub(crate) fn take_some(&self, _most: usize, to: &mut Vec<Stack>) -> Result<(), StackError> {
        to.push(Stack);
        Ok(())
    }

    pub(crate) fn give(&self, _stack: Stack) {}

    pub(crate) fn give_all(&self, stacks: impl IntoIterator<Item = Stack>) {
        stacks.into_iter().for_each(drop);
    }

    pub(crate) fn is_default(&self, _stack: &Stack) -> bool {
        true
    }

    pub(crate) fn idle(&self) -> usize {
        0
    }

    pub(crate) fn for_each_slab(&self, _f: impl FnMut(std::ops::Range<usize>)) {}

    pub(crate) fn trim(&self, _keep: usize) {}
}

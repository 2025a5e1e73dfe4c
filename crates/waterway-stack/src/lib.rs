//! Stacks and context switch under the waterway runtime.

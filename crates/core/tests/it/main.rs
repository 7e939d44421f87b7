//! What the crate promises, tried against data that something else has made.

#![cfg(test)]

mod meters;
mod windows;

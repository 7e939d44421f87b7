//! The dashboard as people see it: a data set that fills every page, a browser that looks at them, and pictures.
//!
//! It is no part of what is published. The server's tests look at every page with it, and `cargo xtask screenshots` makes the pictures
//! of the guide.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking"))]

pub mod axe;
pub mod browser;
pub mod data;
pub mod pages;
pub mod paint;
pub mod pictures;
pub mod walk;

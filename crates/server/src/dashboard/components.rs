//! What pages are made of: each component is a function from data to markup, and is looked at nowhere else.

pub(super) mod action;
pub(super) mod badge;
pub(super) mod bar;
pub(super) mod chart;
pub(super) mod choice;
pub(super) mod empty;
pub(super) mod field;
pub(super) mod filter;
pub(super) mod instants;
pub(super) mod limits;
pub(super) mod limits_form;
pub(super) mod number;
pub(super) mod pager;
pub(super) mod refusals;
pub(super) mod rows;
pub(super) mod tabs;
pub(super) mod time;

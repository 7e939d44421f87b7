//! What a server tells about itself: spans and figures for a collector, lines in the log, contents where they are wanted, and never
//! a credential.

mod contents;
mod logs;
mod node;
mod secrets;
mod traces;

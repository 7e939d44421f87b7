//! faithful

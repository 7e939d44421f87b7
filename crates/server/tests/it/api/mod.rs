//! The management API, one module for each resource.

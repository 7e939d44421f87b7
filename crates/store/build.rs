//! Rebuilds the crate when a migration is added: embedding reads the directory at compile time only.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}

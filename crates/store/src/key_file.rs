//! The generated root key beside a SQLite database, for installations that set none themselves.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::lock::{beside, open_private};
use crate::root_key::RootKey;

/// The key beside the database, if there is one. A file with anything else in it is refused, never replaced.
pub(crate) fn read(database: &Path) -> Result<Option<RootKey>, StoreError> {
    let path = beside(database, ".root-key");
    match fs::read_to_string(&path).map(Zeroizing::new) {
        Ok(text) => RootKey::from_base64(&text).map(Some).map_err(|error| {
            let source = io::Error::new(io::ErrorKind::InvalidData, error.to_string());
            StoreError::File { path, source }
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StoreError::File { path, source }),
    }
}

/// Makes a key and stores it beside the database, before anything is sealed with it.
pub(crate) fn generate(database: &Path) -> Result<RootKey, StoreError> {
    let path = beside(database, ".root-key");
    let key = RootKey::generate()?;
    let write = || {
        let mut file = open_private(OpenOptions::new().write(true).create_new(true), &path)?;
        file.write_all(key.to_base64().as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|source| StoreError::File { path: path.clone(), source })?;
    Ok(key)
}

//! Sealed values: encrypted and bound to their place, so that a row's secret cannot be moved into another row.
//!
//! A record is a version byte, four bytes that identify the root key, a random nonce, and the ciphertext.

use std::fmt;

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use rand::TryRng as _;
use rand::rngs::SysRng;
use zeroize::Zeroizing;

use crate::error::StoreError;
use crate::root_key::RootKey;

const VERSION: u8 = 1;
const KEY_ID_LENGTH: usize = 4;
const NONCE_LENGTH: usize = 24;

/// Where a sealed value lives. It is authenticated with the value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a str,
    pub(crate) column: &'static str,
}

impl<'a> Place<'a> {
    /// A virtual key's secret.
    pub(crate) const fn virtual_key(id: &'a str) -> Self {
        Self { table: "virtual_keys", row: id, column: "value_sealed" }
    }

    /// A provider key's secret.
    pub(crate) const fn provider_key(id: &'a str) -> Self {
        Self { table: "provider_keys", row: id, column: "value_sealed" }
    }

    /// The secrets among a provider key's settings.
    pub(crate) const fn key_settings(id: &'a str) -> Self {
        Self { table: "provider_keys", row: id, column: "settings_sealed" }
    }

    /// The secrets among a provider's extra headers.
    pub(crate) const fn provider_headers(name: &'a str) -> Self {
        Self { table: "providers", row: name, column: "headers_sealed" }
    }

    /// The secrets of an MCP client's connection.
    pub(crate) const fn mcp_connection(id: &'a str) -> Self {
        Self { table: "mcp_clients", row: id, column: "connection_sealed" }
    }

    /// The record that tells whether a root key is the right one.
    pub(crate) const ROOT_KEY_CHECK: Place<'static> = Place { table: "root_key_check", row: "1", column: "sealed" };

    /// No part of a place has a slash before its last one, so different places never read alike.
    fn bytes(&self) -> Vec<u8> {
        format!("{}/{}/{}", self.table, self.column, self.row).into_bytes()
    }
}

/// Seals and opens values with the root key's sealing subkey.
pub(crate) struct Sealer {
    cipher: XChaCha20Poly1305,
    key_id: [u8; KEY_ID_LENGTH],
}

impl Sealer {
    pub(crate) fn new(root: &RootKey) -> Result<Self, StoreError> {
        let key = root.derive::<32>("sealing")?;
        let cipher = XChaCha20Poly1305::new_from_slice(key.as_slice())
            .map_err(|error| StoreError::internal(error.to_string()))?;
        Ok(Self { cipher, key_id: *root.derive("key-id")? })
    }

    /// Encrypts a value for its place.
    pub(crate) fn seal(&self, secret: &str, place: Place<'_>) -> Result<Vec<u8>, StoreError> {
        let mut nonce = [0; NONCE_LENGTH];
        SysRng.try_fill_bytes(&mut nonce).map_err(StoreError::internal)?;
        let aad = place.bytes();
        let ciphertext = self
            .cipher
            .encrypt(&nonce.into(), Payload { msg: secret.as_bytes(), aad: &aad })
            .map_err(|_| StoreError::internal("a value could not be sealed"))?;
        Ok([&[VERSION][..], &self.key_id, &nonce, &ciphertext].concat())
    }

    /// Decrypts what was sealed for the same place.
    pub(crate) fn open(&self, record: &[u8], place: Place<'_>) -> Result<String, StoreError> {
        let refuse = |why: &str| StoreError::unreadable(&format!("{place:?}"), why);
        let (version, rest) = record.split_first().ok_or_else(|| refuse("it is empty"))?;
        let (key_id, rest) = rest.split_first_chunk::<KEY_ID_LENGTH>().ok_or_else(|| refuse("it is too short"))?;
        let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_LENGTH>().ok_or_else(|| refuse("it is too short"))?;
        if *version != VERSION {
            return Err(refuse("it was sealed by another version"));
        }
        if *key_id != self.key_id {
            return Err(StoreError::WrongRootKey);
        }
        let aad = place.bytes();
        let plain = self.cipher.decrypt(&(*nonce).into(), Payload { msg: ciphertext, aad: &aad });
        let plain = Zeroizing::new(plain.map_err(|_| refuse("it was altered or moved"))?);
        std::str::from_utf8(&plain).map(str::to_owned).map_err(|_| refuse("it is no text"))
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_in_its_own_place_and_unaltered() {
        let root = RootKey::generate().unwrap();
        let sealer = Sealer::new(&root).unwrap();
        let mut record = sealer.seal("sk-secret", Place::virtual_key("a")).unwrap();
        assert_eq!(sealer.open(&record, Place::virtual_key("a")).unwrap(), "sk-secret");
        assert!(sealer.open(&record, Place::virtual_key("b")).is_err());
        assert!(sealer.open(&record, Place::provider_key("a")).is_err());
        assert_ne!(record, sealer.seal("sk-secret", Place::virtual_key("a")).unwrap(), "nonces are fresh");
        let other = Sealer::new(&RootKey::generate().unwrap()).unwrap();
        assert!(matches!(other.open(&record, Place::virtual_key("a")), Err(StoreError::WrongRootKey)));
        *record.last_mut().unwrap() ^= 1;
        assert!(sealer.open(&record, Place::virtual_key("a")).is_err());
    }
}

//! The root key, and what is derived from it: one subkey for sealing secrets, one for finding virtual keys.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use keyward_core::secret::KeyHash;
use rand::TryRng as _;
use rand::rngs::SysRng;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::error::StoreError;

/// Separates Keyward's derivations from anyone else's with the same root key.
const SALT: &[u8] = b"keyward/root-key/1";

/// The secret that everything sealed in the database depends on.
#[derive(Clone)]
pub struct RootKey(Zeroizing<[u8; 32]>);

impl RootKey {
    /// Reads 32 bytes of base64; surrounding blanks are ignored.
    ///
    /// # Errors
    /// [`StoreError::RootKeyMalformed`] when the text is anything else.
    pub fn from_base64(text: &str) -> Result<Self, StoreError> {
        let malformed = |_| StoreError::RootKeyMalformed;
        let bytes = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| StoreError::RootKeyMalformed)?);
        let key: [u8; 32] = bytes.as_slice().try_into().map_err(malformed)?;
        Ok(Self(Zeroizing::new(key)))
    }

    pub(crate) fn to_base64(&self) -> Zeroizing<String> {
        Zeroizing::new(STANDARD.encode(self.0.as_slice()))
    }

    /// A fresh random key.
    pub(crate) fn generate() -> Result<Self, StoreError> {
        let mut key = Zeroizing::new([0; 32]);
        SysRng.try_fill_bytes(key.as_mut_slice()).map_err(StoreError::internal)?;
        Ok(Self(key))
    }

    /// The subkey for one purpose.
    pub(crate) fn derive<const N: usize>(&self, label: &str) -> Result<Zeroizing<[u8; N]>, StoreError> {
        let mut subkey = Zeroizing::new([0; N]);
        let derivation = Hkdf::<Sha256>::new(Some(SALT), self.0.as_slice());
        derivation
            .expand(label.as_bytes(), subkey.as_mut_slice())
            .map_err(|error| StoreError::internal(error.to_string()))?;
        Ok(subkey)
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey([redacted])")
    }
}

/// Finds secrets of one kind by a keyed hash: without the root key, nobody can test a guess against the database.
#[derive(Clone)]
pub struct KeyHasher(Hmac<Sha256>);

impl KeyHasher {
    pub(crate) fn new(root: &RootKey, purpose: &str) -> Result<Self, StoreError> {
        let pepper = root.derive::<32>(purpose)?;
        Hmac::new_from_slice(pepper.as_slice()).map(Self).map_err(|error| StoreError::internal(error.to_string()))
    }

    /// The hash that the owner of this secret is stored under.
    #[must_use]
    pub fn hash(&self, secret: impl AsRef<[u8]>) -> KeyHash {
        KeyHash(self.0.clone().chain_update(secret).finalize().into_bytes().into())
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher([redacted])")
    }
}

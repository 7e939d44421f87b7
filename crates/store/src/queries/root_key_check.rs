//! The record that tells whether a root key is the one that the database was sealed with.

use diesel::prelude::*;
use sha2::{Digest as _, Sha256};

use super::Conn;
use crate::error::StoreError;
use crate::schema::root_key_check;
use crate::seal::{Place, Sealer};

/// What is sealed: a constant, since only whether it opens matters.
const WITNESS: &str = "keyward";

/// True when the database was sealed with some root key already.
pub(crate) fn exists(c: &mut Conn) -> Result<bool, StoreError> {
    Ok(diesel::select(diesel::dsl::exists(root_key_check::table.find(1))).get_result(c)?)
}

/// Makes the first root key the database's own, and refuses any other from then on. Returns the database's mark: a digest of what
/// was sealed, which has a random nonce and so is in no other database.
pub(crate) fn verify(c: &mut Conn, sealer: &Sealer) -> Result<[u8; 16], StoreError> {
    let sealed = sealer.seal(WITNESS, Place::ROOT_KEY_CHECK)?;
    diesel::insert_into(root_key_check::table)
        .values((root_key_check::id.eq(1), root_key_check::sealed.eq(sealed)))
        .on_conflict_do_nothing()
        .execute(c)?;
    let stored: Vec<u8> = root_key_check::table.find(1).select(root_key_check::sealed).first(c)?;
    match sealer.open(&stored, Place::ROOT_KEY_CHECK) {
        Ok(witness) if witness == WITNESS => mark(&stored),
        Ok(_) | Err(_) => Err(StoreError::WrongRootKey),
    }
}

fn mark(sealed: &[u8]) -> Result<[u8; 16], StoreError> {
    let digest = Sha256::digest(sealed);
    digest.first_chunk().copied().ok_or_else(|| StoreError::internal("a digest is shorter than a mark"))
}

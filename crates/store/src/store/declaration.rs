//! What a configuration file declares.

use jiff::Timestamp;
use keyward_core::declaration::Declaration;
use uuid::Uuid;

use super::{Database, Store};
use crate::error::StoreError;

impl Store {
    /// Makes the database what the file declares, all of it or nothing, as of `at`. Where the file's definition of a thing is
    /// what it was, the thing stays as it is; usage is never touched. `mint` gives new ids.
    ///
    /// # Errors
    /// [`StoreError::Declared`] with everything that cannot be carried out, by its place in the file.
    pub async fn declaration_apply(
        &self,
        file: Declaration,
        at: Timestamp,
        mint: fn() -> Uuid,
    ) -> Result<(), StoreError> {
        let inner = self.inner.clone();
        writing!(self, |queries, c| {
            let tools = queries::declaration::Tools {
                at,
                chain: &inner.chain,
                sealer: &inner.sealer,
                values: &inner.hasher,
                definitions: &inner.definitions,
                mint,
            };
            queries::declaration::apply(c, &file, &tools)
        })
    }
}

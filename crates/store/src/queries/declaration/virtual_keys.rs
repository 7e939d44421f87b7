//! The virtual keys of a file. Another value is a rotation.

use diesel::dsl::exists;
use diesel::prelude::*;
use keyward_core::authority::Reach;
use keyward_core::declaration::{Declaration, DeclaredVirtualKey, Find};
use keyward_core::invalid::Invalid;
use keyward_core::secret::{KeyHash, VirtualKeyValue};
use keyward_core::virtual_key::{Rotation, VirtualKey, VirtualKeyDraft, VirtualKeyHashes};

use super::super::config_hash::Subject;
use super::super::{Conn, server_config, virtual_key, virtual_key_edit, virtual_key_rotation};
use super::{Application, Failed, located, unless_same};
use crate::error::{Noun, StoreError};
use crate::schema::virtual_keys;
use crate::store::Reveal;

impl Application<'_> {
    pub(super) fn virtual_keys(&mut self, c: &mut Conn, file: &Declaration, find: Find<'_>) -> Result<(), StoreError> {
        for declared in file.virtual_keys.iter().flatten() {
            self.entity(c, &declared.at, |this, c| {
                let sealer = this.tools.sealer;
                let after = match virtual_key::get(c, &Reach::Everything, &declared.id, Reveal::Redacted, sealer) {
                    Err(StoreError::NotFound(Noun::VirtualKey)) => this.made_key(c, declared, find)?,
                    found => match this.edited_key(c, declared, find, found?)? {
                        Some(edited) => edited,
                        None => return Ok(()),
                    },
                };
                this.remember(c, Subject::VirtualKey(declared.id.as_str()), &declared.definition())?;
                for row in declared.rows(&after) {
                    this.remember(c, Subject::Limit(row.id.as_str()), &row.definition)?;
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn made_key(&self, c: &mut Conn, declared: &DeclaredVirtualKey, find: Find<'_>) -> Result<VirtualKey, Failed> {
        let draft = self.editing(self.tools.at, |edit| declared.edit(None, find, self.basis(), edit))?;
        let draft = draft.ok_or_else(|| StoreError::internal("a new virtual key has no draft"))?;
        let value = declared.value.clone().unwrap_or_else(|| VirtualKeyValue::from_uuid((self.tools.mint)()));
        let hash = free_hash(c, declared, self.tools.values.hash(value.expose()))?;
        let by = self.recorder("virtual_key_create");
        let made = virtual_key_edit::insert(c, &by, &draft, &value, hash, self.tools.sealer);
        located(made, |invalid| declared.locate(invalid))
    }

    /// The virtual key after the file; none when it is as the file has it.
    fn edited_key(
        &self,
        c: &mut Conn,
        declared: &DeclaredVirtualKey,
        find: Find<'_>,
        (hashes, before): (VirtualKeyHashes, VirtualKey),
    ) -> Result<Option<VirtualKey>, Failed> {
        let replaces = self.basis().differs(&declared.definition(), &before.config_hash);
        let now = self.after(before.updated_at);
        let draft = self.editing(now, |edit| declared.edit(Some(&before), find, self.basis(), edit))?;
        let Some(draft) = draft else { return Ok(None) };
        let edited = self.updated_key(c, declared, before, draft)?;
        match declared.value.as_ref().filter(|_| replaces) {
            Some(value) if self.tools.values.hash(value.expose()) != hashes.current => {
                self.rotated_key(c, declared, value).map(Some)
            }
            Some(_) | None => Ok(Some(edited)),
        }
    }

    fn updated_key(
        &self,
        c: &mut Conn,
        declared: &DeclaredVirtualKey,
        before: VirtualKey,
        draft: VirtualKeyDraft,
    ) -> Result<VirtualKey, Failed> {
        let sealer = self.tools.sealer;
        let by = self.recorder("virtual_key_update");
        unless_same(c, before, |c| {
            let edited = virtual_key_edit::update(c, &by, &declared.id, Reveal::Redacted, sealer, |_, _| Ok(draft));
            located(edited, |invalid| declared.locate(invalid))?;
            Ok(virtual_key::get(c, &Reach::Everything, &declared.id, Reveal::Redacted, sealer)?.1)
        })
    }

    fn rotated_key(
        &self,
        c: &mut Conn,
        declared: &DeclaredVirtualKey,
        value: &VirtualKeyValue,
    ) -> Result<VirtualKey, Failed> {
        let cooldown = server_config::get(c)?.rotation_cooldown.duration();
        let rotation = Rotation { value: value.clone(), cooldown: cooldown.try_into().unwrap_or_default() };
        let hash = free_hash(c, declared, self.tools.values.hash(value.expose()))?;
        let by = self.recorder("virtual_key_rotate");
        let rotated = virtual_key_rotation::rotate(c, &by, &declared.id, &rotation, hash, self.tools.sealer);
        Ok(rotated?.1)
    }
}

/// The hash of a value, unless another virtual key had the value before its last rotation: it may find that one still.
fn free_hash(c: &mut Conn, declared: &DeclaredVirtualKey, hash: KeyHash) -> Result<KeyHash, Failed> {
    let others = virtual_keys::table
        .filter(virtual_keys::previous_value_hash.eq(hash.0.as_slice()))
        .filter(virtual_keys::id.ne(declared.id.as_str()));
    match diesel::select(exists(others)).get_result(c)? {
        false => Ok(hash),
        true => {
            let message = "another virtual key had this value before it was rotated";
            Err(Invalid::at(declared.at.member("value"), message).into())
        }
    }
}

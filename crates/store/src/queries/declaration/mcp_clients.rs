//! The MCP clients of a file. A secret that the file has and the database too is no change.

use std::collections::BTreeMap;

use keyward_core::declaration::{Declaration, DeclaredMcpClient};
use keyward_core::ids::McpClientId;
use keyward_core::mcp_client::McpClient;
use keyward_core::secret::SecretSource;
use serde::Serialize;

use super::super::config_hash::Subject;
use super::super::{Conn, mcp_client};
use super::{Application, Failed, located, unless_same};
use crate::error::{Noun, StoreError};
use crate::seal::Sealer;

/// A client with its secrets, so that another secret of the same redacted form is a change. It never leaves this file.
#[derive(Serialize)]
struct Opened {
    client: McpClient,
    secrets: BTreeMap<String, SecretSource>,
}

impl Application<'_> {
    pub(super) fn mcp_clients(&mut self, c: &mut Conn, file: &Declaration) -> Result<(), StoreError> {
        for declared in file.mcp_clients.iter().flatten() {
            self.entity(c, &declared.at, |this, c| {
                let definition = declared.definition();
                let found = match &declared.request.client_id {
                    Some(id) => mcp_client::client(c, id),
                    None => mcp_client::of_name(c, &declared.request.name),
                };
                let id = match found {
                    Err(StoreError::NotFound(Noun::McpClient)) => this.made_client(c, declared)?,
                    found => {
                        let before = found?;
                        let id = before.client_id.clone();
                        if this.basis().differs(&definition, &before.config_hash) {
                            this.edited_client(c, declared, before)?;
                        }
                        id
                    }
                };
                Ok(this.remember(c, Subject::McpClient(id.as_str()), &definition)?)
            })?;
        }
        Ok(())
    }

    fn made_client(&self, c: &mut Conn, declared: &DeclaredMcpClient) -> Result<McpClientId, Failed> {
        let draft = self.editing(self.tools.at, |edit| declared.edit(None, edit))?;
        let by = self.recorder("mcp_client_create");
        let made = mcp_client::create(c, &by, &draft, self.tools.sealer);
        Ok(located(made, |invalid| declared.locate(invalid))?.config.client_id)
    }

    fn edited_client(&self, c: &mut Conn, declared: &DeclaredMcpClient, before: McpClient) -> Result<(), Failed> {
        let sealer = self.tools.sealer;
        let id = before.client_id.clone();
        let draft = self.editing(self.after(before.updated_at), |edit| declared.edit(Some(&before), edit))?;
        let by = self.recorder("mcp_client_update");
        let before = opened(c, before, sealer)?;
        unless_same(c, before, |c| {
            let edited = mcp_client::update(c, &by, &id, None, sealer, |_, _| Ok(draft));
            let edited = located(edited, |invalid| declared.locate(invalid))?;
            Ok(opened(c, edited.config, sealer)?)
        })?;
        Ok(())
    }
}

fn opened(c: &mut Conn, client: McpClient, sealer: &Sealer) -> Result<Opened, StoreError> {
    let secrets = mcp_client::secrets(c, &client.client_id, sealer)?.sources();
    Ok(Opened { client, secrets })
}

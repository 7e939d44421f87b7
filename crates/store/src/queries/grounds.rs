//! What an author's authority rests on, looked at again in the unit of work that changes something: a request may take its time,
//! and who is shut out meanwhile must not get through.

use keyward_core::authority::Reach;
use keyward_core::change::Grounds;
use keyward_core::invalid::{Invalid, Pointer};

use super::{Conn, management_key, server_config, session};
use crate::error::StoreError;
use crate::recorder::Recorder;

/// Makes sure that the author may still do what it could when it was let in.
pub(crate) fn check(c: &mut Conn, by: &Recorder) -> Result<(), StoreError> {
    let author = &by.change.author;
    let stands = match &author.grounds {
        Grounds::Server => true,
        Grounds::Configured(stamp) => server_config::get(c)?.auth_stamp()? == *stamp,
        Grounds::Session(id) => session::stands(c, id, &author.authority, by.change.at)?,
        Grounds::ManagementKey(id) => match management_key::get(c, &Reach::Everything, id) {
            Ok(key) => key.is_usable(by.change.at) && key.authority() == author.authority,
            Err(StoreError::NotFound(_)) => false,
            Err(error) => return Err(error),
        },
    };
    if stands {
        by.stands();
        return Ok(());
    }
    let message = "The credential of the request is not the same any more: it was revoked or changed meanwhile";
    Err(StoreError::Denied(Invalid::at(Pointer::ROOT, message)))
}

//! Finding what a person means: virtual keys, teams and customers are named by their name or by their id.

use keyward_client::{Customer, Error, ListQuery, Team, TeamQuery, VirtualKey, VirtualKeyQuery};
use uuid::Uuid;

use super::connection::Server;
use super::failure::{Exit, Failure};

/// The most entries of a page.
const PAGE: usize = 100;

/// A kind of thing that has a name and an id.
pub(super) trait Named: Sized {
    /// What a person calls it.
    const NOUN: &'static str;
    /// The command that lists all of them.
    const LIST: &'static str;

    fn name(&self) -> &str;

    async fn by_id(server: &Server, id: &str) -> Result<Self, Error>;

    /// Those of which `search` is a part of the name, from `offset` on.
    async fn named_like(server: &Server, search: String, offset: usize) -> Result<Vec<Self>, Error>;
}

/// The one that has this name or id. A text that looks like an id is taken for one first, any other for a name.
pub(super) async fn find<T: Named>(server: &Server, text: &str) -> Result<T, Failure> {
    let looks_like_id = Uuid::try_parse(text).is_ok();
    if looks_like_id && let Some(found) = by_id(server, text, &[404]).await? {
        return Ok(found);
    }
    if let Some(found) = by_name(server, text).await? {
        return Ok(found);
    }
    // The list was answered, so the credential is good: a text that is no id can be the path of something else.
    if !looks_like_id && let Some(found) = by_id(server, text, &[400, 401, 403, 404, 405]).await? {
        return Ok(found);
    }
    let what = format!("there is no {} '{text}': no id and no name is that", T::NOUN);
    Err(Failure::new(Exit::NotFound, what).advising(format!("List what is there with `{}`.", T::LIST)))
}

/// All of these, each once, in their order; none when one of them is not there.
pub(super) async fn find_all<T: Named>(server: &Server, texts: &[String]) -> Result<Vec<T>, Failure> {
    let mut found: Vec<T> = Vec::with_capacity(texts.len());
    for text in texts {
        let one: T = find(server, text).await?;
        if !found.iter().any(|other| other.name() == one.name()) {
            found.push(one);
        }
    }
    Ok(found)
}

/// The one with this id; none when the answer has one of the statuses `absent`.
async fn by_id<T: Named>(server: &Server, id: &str, absent: &[u16]) -> Result<Option<T>, Failure> {
    match T::by_id(server, id).await {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.status().is_some_and(|status| absent.contains(&status)) => Ok(None),
        Err(error) => Err(server.failure(&error)),
    }
}

async fn by_name<T: Named>(server: &Server, name: &str) -> Result<Option<T>, Failure> {
    let mut offset = 0;
    loop {
        let page = server.call(T::named_like(server, name.to_owned(), offset)).await?;
        let is_last = page.len() < PAGE;
        offset += page.len();
        match page.into_iter().find(|entry| entry.name() == name) {
            None if !is_last => {}
            found => return Ok(found),
        }
    }
}

fn page(search: String, offset: usize) -> ListQuery {
    let (limit, offset) = (Some(PAGE.to_string()), Some(offset.to_string()));
    ListQuery { limit, offset, search: Some(search), from_memory: None }
}

impl Named for VirtualKey {
    const NOUN: &'static str = "virtual key";
    const LIST: &'static str = "keyward keys list";

    fn name(&self) -> &str {
        &self.name
    }

    async fn by_id(server: &Server, id: &str) -> Result<Self, Error> {
        server.client.virtual_key_get(&id.into()).await
    }

    async fn named_like(server: &Server, search: String, offset: usize) -> Result<Vec<Self>, Error> {
        let ListQuery { limit, offset, search, .. } = page(search, offset);
        let query = VirtualKeyQuery { limit, offset, search, ..VirtualKeyQuery::default() };
        Ok(server.client.virtual_key_list(&query).await?.virtual_keys)
    }
}

impl Named for Team {
    const NOUN: &'static str = "team";
    const LIST: &'static str = "keyward teams list";

    fn name(&self) -> &str {
        &self.name
    }

    async fn by_id(server: &Server, id: &str) -> Result<Self, Error> {
        server.client.team_get(&id.into()).await
    }

    async fn named_like(server: &Server, search: String, offset: usize) -> Result<Vec<Self>, Error> {
        let ListQuery { limit, offset, search, .. } = page(search, offset);
        let query = TeamQuery { limit, offset, search, ..TeamQuery::default() };
        Ok(server.client.team_list(&query).await?.teams)
    }
}

impl Named for Customer {
    const NOUN: &'static str = "customer";
    const LIST: &'static str = "keyward customers list";

    fn name(&self) -> &str {
        &self.name
    }

    async fn by_id(server: &Server, id: &str) -> Result<Self, Error> {
        server.client.customer_get(&id.into()).await
    }

    async fn named_like(server: &Server, search: String, offset: usize) -> Result<Vec<Self>, Error> {
        Ok(server.client.customer_list(&page(search, offset)).await?.customers)
    }
}

//! What every kind of resource has in common: it is made, read, listed, edited and removed, each under conditions.

use serde_json::{Value, json};

use crate::call::{Call, Reply, text};
use crate::run::{Run, Stop, id_of};

/// An id that nothing has.
pub(super) const NOBODY: &str = "00000000-0000-7000-8000-000000000000";
/// A version that nothing has.
pub(super) const NO_VERSION: &str = "\"none\"";

/// One kind of resource, and how to make one.
pub(super) struct Resource {
    /// What its operations' ids begin with.
    pub(super) stem: &'static str,
    /// What they end with.
    pub(super) suffix: &'static str,
    /// The parameter of the path that has its id.
    pub(super) parameter: &'static str,
    /// The other parameters of its paths.
    pub(super) parents: Vec<(String, String)>,
    /// Where the resource is in an answer.
    pub(super) at: &'static str,
    /// Where its id is in the resource.
    pub(super) id: &'static str,
    /// Where its name is in the resource, and in a request.
    pub(super) name: &'static str,
    /// The member of a list that has the resources.
    pub(super) items: &'static str,
    /// Where the resource is in an element of the list.
    pub(super) in_item: &'static str,
    /// Whether the list can be searched for a name.
    pub(super) is_searched: bool,
    /// What makes one, without its name.
    pub(super) body: Value,
    /// What edits one.
    pub(super) edit: Value,
    /// Whether no two may have one name.
    pub(super) is_named_once: bool,
    /// Whether an edit can give it another name.
    pub(super) is_renamed: bool,
    /// Operations that change one, besides `update`: their last words, with what they send.
    pub(super) changes: Vec<(&'static str, Option<Value>)>,
}

/// One that was made.
pub(super) struct Made {
    pub(super) id: String,
    pub(super) name: String,
    /// The resource as it was answered.
    pub(super) value: Value,
    pub(super) reply: Reply,
}

impl Resource {
    fn operation(&self, verb: &str) -> String {
        format!("{}_{verb}{}", self.stem, self.suffix)
    }

    /// A call about all of them.
    fn all(&self, verb: &str) -> Call {
        Call::to(&self.operation(verb)).at(self.parents.iter().map(|(name, value)| (name.as_str(), value.as_str())))
    }

    /// A call about one.
    pub(super) fn one(&self, verb: &str, id: &str) -> Call {
        self.all(verb).at([(self.parameter, id)])
    }

    fn named(&self, name: &str) -> Value {
        let mut body = self.body.clone();
        if let Some(members) = body.as_object_mut() {
            members.insert(self.name.to_owned(), json!(name));
        }
        body
    }

    fn renamed(&self, name: &str) -> Value {
        json!({ self.name: name })
    }

    /// Makes one, to be removed at the end.
    pub(super) async fn make(&self, run: &mut Run) -> Result<Made, Stop> {
        self.make_one(run, self.stem).await
    }

    async fn make_one(&self, run: &mut Run, what: &str) -> Result<Made, Stop> {
        let name = run.name(what);
        self.made(run, self.all("create").json(&self.named(&name)), name).await
    }

    async fn made(&self, run: &mut Run, call: Call, name: String) -> Result<Made, Stop> {
        let operation = self.operation("create");
        let created = run.contract.operation(&operation).is_some_and(|(_, operation)| operation.documents(201));
        let reply = run.expect(call, if created { 201 } else { 200 }).await?;
        let value = reply.json().pointer(self.at).cloned().unwrap_or_default();
        let Some(id) = id_of(&value, self.id) else {
            run.fail(&operation, "what was made has no id");
            return Err(Stop);
        };
        run.remember(self.one("delete", &id));
        if text(&value, &format!("/{}", self.name)) != name {
            run.fail(&operation, "what was made has another name");
        }
        Ok(Made { id, name, value, reply })
    }

    /// Everything that can be done with this kind.
    pub(super) async fn verify(&self, run: &mut Run) -> Result<(), Stop> {
        let listed = self.operation("listed");
        let (first, second) = (self.make_one(run, &listed).await?, self.make_one(run, &listed).await?);
        if self.is_named_once {
            run.probe(self.all("create").json(&self.named(&first.name)), 409).await;
        }
        let _ = self.listed(run, &listed, &[&first, &second]).await;
        let _ = self.read(run, &first).await;
        let _ = self.edited(run, &first, &second).await;
        self.unknown(run).await;
        self.stale(run, &first).await;
        let _ = self.repeated(run).await;
        for made in [&first, &second] {
            run.expect(self.one("delete", &made.id), 200).await?;
            run.probe(self.one("get", &made.id), 404).await;
        }
        Ok(())
    }

    /// A list has what was made, and counts it.
    async fn listed(&self, run: &mut Run, what: &str, made: &[&Made]) -> Result<(), Stop> {
        let mut call = self.all("list");
        if self.is_searched {
            call = call.query("search", &format!("{}_{what}_", run.prefix));
        }
        let page = run.expect(call, 200).await?.json();
        let operation = self.operation("list");
        let there = page.get(self.items).and_then(Value::as_array).cloned().unwrap_or_default();
        let ids: Vec<_> = there.iter().filter_map(|item| id_of(item.pointer(self.in_item)?, self.id)).collect();
        if !made.iter().all(|made| ids.contains(&made.id)) {
            run.fail(&operation, "what was made is not in the list");
        }
        let total = page.get("total_count").and_then(Value::as_u64);
        if self.is_searched && total != u64::try_from(made.len()).ok() {
            let counted = page.get("total_count").cloned().unwrap_or_default();
            run.fail(&operation, format!("total_count is {counted}, and {} have such a name", made.len()));
        }
        Ok(())
    }

    /// What is read is what was made, in the same version.
    async fn read(&self, run: &mut Run, made: &Made) -> Result<(), Stop> {
        let operation = self.operation("get");
        let read = run.expect(self.one("get", &made.id), 200).await?;
        if read.json().pointer(self.at).and_then(|value| id_of(value, self.id)).as_ref() != Some(&made.id) {
            run.fail(&operation, "another one was read than was asked for");
        }
        if read.header("etag") != made.reply.header("etag") {
            run.fail(&operation, "what nobody has changed has another version");
        }
        Ok(())
    }

    /// An edit is seen, and makes another version.
    async fn edited(&self, run: &mut Run, made: &Made, other: &Made) -> Result<(), Stop> {
        let operation = self.operation("update");
        let call = self.one("update", &made.id).json(&self.edit);
        let reply = run.expect(call.header("if-match", made.reply.header("etag")), 200).await?;
        if reply.header("etag") == made.reply.header("etag") {
            run.fail(&operation, "what was edited has the same version");
        }
        let after = reply.json().pointer(self.at).cloned().unwrap_or_default();
        for (name, value) in self.edit.as_object().into_iter().flatten() {
            if after.get(name) != Some(value) {
                run.fail(&operation, format!("{name} is not what it was set to"));
            }
        }
        for (verb, body) in &self.changes {
            run.probe(with(self.one(verb, &made.id), body.as_ref()), 200).await;
        }
        if self.is_renamed && self.is_named_once {
            for verb in std::iter::once("update").chain(self.patches()) {
                run.probe(self.one(verb, &made.id).json(&self.renamed(&other.name)), 409).await;
            }
        }
        Ok(())
    }

    /// The operations besides `update` that take members.
    fn patches(&self) -> impl Iterator<Item = &'static str> {
        self.changes.iter().filter(|(_, body)| body.is_some()).map(|(verb, _)| *verb)
    }

    /// Nothing is done to what is not there.
    async fn unknown(&self, run: &mut Run) {
        let mut calls = vec![self.one("get", NOBODY), self.one("update", NOBODY).json(&self.edit)];
        calls.extend(self.changes.iter().map(|(verb, body)| with(self.one(verb, NOBODY), body.as_ref())));
        calls.push(self.one("delete", NOBODY));
        // Nor to what is of nobody.
        for (parent, _) in &self.parents {
            calls.push(self.all("list").at([(parent.as_str(), NOBODY)]));
        }
        for call in calls {
            run.probe(call, 404).await;
        }
    }

    /// Nothing is done to another version.
    async fn stale(&self, run: &mut Run, made: &Made) {
        let mut calls = vec![self.one("update", &made.id).json(&self.edit)];
        calls.extend(self.changes.iter().map(|(verb, body)| with(self.one(verb, &made.id), body.as_ref())));
        calls.push(self.one("delete", &made.id));
        for call in calls {
            run.probe(call.header("if-match", NO_VERSION), 412).await;
        }
    }

    /// A create that is repeated makes nothing new, and nothing again once it is gone.
    async fn repeated(&self, run: &mut Run) -> Result<(), Stop> {
        let name = run.name(self.stem);
        let call = self.all("create").json(&self.named(&name)).header("idempotency-key", &name);
        let (one, other) =
            (self.made(run, call.clone(), name.clone()).await?, self.made(run, call.clone(), name).await?);
        if one.id != other.id {
            run.fail(&self.operation("create"), "what was made under one Idempotency-Key was made twice");
        }
        run.expect(self.one("delete", &one.id), 200).await?;
        run.probe(call, 404).await;
        Ok(())
    }
}

fn with(call: Call, body: Option<&Value>) -> Call {
    match body {
        Some(body) => call.json(body),
        None => call,
    }
}

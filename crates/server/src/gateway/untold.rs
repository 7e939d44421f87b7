//! What is charged for an answer that does not tell what was used: a stream that was cut or given up, or one that forgot, or sound.

use std::rc::Rc;

use bytes::Bytes;
use keyward_core::catalogue::ModelCard;
use keyward_core::ids::{ModelName, ProviderName};
use keyward_core::operation::Operation;
use keyward_core::price::{Class, TokenUsage, Usage, VersionedPrice};

use super::estimate::{Served, Tokenizers};
use super::resolve::Route;
use super::scan::Scan;
use super::usage::counted::Counter;
use super::usage::shape;

/// What counting an answer takes.
pub(super) struct Untold {
    scan: Rc<Scan>,
    body: Bytes,
    provider: ProviderName,
    model: ModelName,
    card: Option<ModelCard>,
    /// None when it cannot be counted: then nothing is kept of the answer.
    counter: Option<Counter>,
    /// What the request itself tells, where that is what is billed.
    by_request: Option<Usage>,
}

impl Untold {
    /// Gets ready to count the answer of a request at its route.
    pub(super) fn of(scan: &Rc<Scan>, body: &Bytes, route: &Route, tokenizers: &Tokenizers) -> Self {
        let counts_characters = |price: &VersionedPrice| price.price.base.get(Class::Characters).is_some();
        let is_countable = answers_in_text(scan.operation) && tokenizers.knows(&route.served());
        let by_characters = route.price.as_ref().is_some_and(counts_characters) && scan.characters > 0;
        Self {
            scan: scan.clone(),
            body: body.clone(),
            provider: route.permit.provider().clone(),
            model: route.destination.model.clone(),
            card: if is_countable { route.card.clone() } else { None },
            counter: is_countable.then(|| Counter::new(shape(scan.operation))),
            by_request: by_characters.then(|| by_piece(Class::Characters, scan.characters)),
        }
    }

    /// Takes in the data of an event, or a whole answer.
    pub(super) fn read(&mut self, data: &[u8]) {
        if let Some(counter) = &mut self.counter {
            counter.read(data);
        }
    }

    /// The usage by what was asked and read; none when it cannot be counted.
    pub(super) fn usage(&self, tokenizers: &Tokenizers) -> Option<Usage> {
        if self.by_request.is_some() {
            return self.by_request;
        }
        let (provider, model) = (self.provider.as_str(), self.model.as_str());
        let served = Served { provider, model, card: self.card.as_ref() };
        let input = || self.scan.counted_input(&self.body, tokenizers, &served);
        self.counter.as_ref()?.usage(tokenizers, &served, input)
    }
}

/// True when all of an answer's output is text that a counter reads, or there is none. Images and sound are not, nor is what was heard
/// in sound.
const fn answers_in_text(operation: Operation) -> bool {
    match operation {
        Operation::ChatCompletions
        | Operation::Completions
        | Operation::Responses
        | Operation::Embeddings
        | Operation::Messages
        | Operation::GenerateContent
        | Operation::EmbedContent
        | Operation::BatchEmbedContents => true,
        Operation::Moderations
        | Operation::ImageGenerations
        | Operation::ImageEdits
        | Operation::ImageVariations
        | Operation::Speech
        | Operation::Transcriptions
        | Operation::Translations
        | Operation::CountMessageTokens
        | Operation::CountContentTokens => false,
    }
}

fn by_piece(class: Class, amount: u64) -> Usage {
    let counts: TokenUsage = [(class, amount)].into_iter().collect();
    counts.into()
}

//! Messages as Converse wants them: what the system says apart, and the rest in turns of user and assistant.

use keyward_core::invalid::{Invalid, Pointer};

use super::content::{self, Part};
use super::converse::{Block, Reasoning, Speaker, Turn};
use super::question::{Message, OneOrMany, Role, ThinkingBlock};
use super::tools;
use super::untranslatable;

/// What the system says, and the turns.
pub(super) fn of(messages: Vec<Message>) -> Result<(Vec<Block>, Vec<Turn>), Invalid> {
    let (mut system, mut turns) = (Vec::new(), Vec::new());
    for (index, message) in messages.into_iter().enumerate() {
        let at = Pointer::from("messages").element(index);
        check_members(&message, &at)?;
        match message.role {
            Role::System | Role::Developer => system.extend(spoken(message.content, &at)?),
            Role::User => say(&mut turns, Speaker::User, spoken(message.content, &at)?),
            Role::Assistant => say(&mut turns, Speaker::Assistant, answered(message, &at)?),
            Role::Tool => say(&mut turns, Speaker::User, vec![result(message, &at)?]),
        }
    }
    match system.iter().position(|block| !matches!(block, Block::Text(_) | Block::CachePoint(_))) {
        Some(_) => Err(untranslatable("messages".into(), "Bedrock takes only text in system and developer messages")),
        None => Ok((system, turns)),
    }
}

/// Goes on with the turn of who speaks already.
fn say(turns: &mut Vec<Turn>, role: Speaker, content: Vec<Block>) {
    match turns.last_mut().filter(|turn| turn.role == role) {
        Some(turn) => turn.content.extend(content),
        None => turns.push(Turn { role, content }),
    }
}

/// Refuses members that belong to messages of another role.
fn check_members(message: &Message, at: &Pointer) -> Result<(), Invalid> {
    let misplaced = [
        ("tool_calls", message.tool_calls.is_some(), Role::Assistant),
        ("thinking_blocks", message.thinking_blocks.is_some(), Role::Assistant),
        ("refusal", message.refusal.is_some(), Role::Assistant),
        ("tool_call_id", message.tool_call_id.is_some(), Role::Tool),
    ];
    match misplaced.iter().find(|(_, is_there, role)| *is_there && *role != message.role) {
        Some((name, ..)) => {
            Err(Invalid::at(at.member(name), format!("{name} has no meaning in a message of this role")))
        }
        None => Ok(()),
    }
}

fn spoken(content: Option<OneOrMany<Part>>, at: &Pointer) -> Result<Vec<Block>, Invalid> {
    let at = at.member("content");
    content::blocks(content.ok_or_else(|| Invalid::at(at.clone(), "content is required"))?, &at)
}

/// An assistant's thoughts, words and calls, in this order.
fn answered(message: Message, at: &Pointer) -> Result<Vec<Block>, Invalid> {
    let mut blocks: Vec<Block> = message.thinking_blocks.into_iter().flatten().map(thought).collect();
    if let Some(content) = message.content {
        let words = content::blocks(content, &at.member("content"))?;
        // An empty text beside calls is how the dialect says "no words"; Converse refuses it.
        blocks.extend(words.into_iter().filter(|block| !matches!(block, Block::Text(text) if text.is_empty())));
    }
    blocks.extend(message.refusal.map(Block::Text));
    for (index, call) in message.tool_calls.into_iter().flatten().enumerate() {
        blocks.push(tools::tool_use(call, &at.member("tool_calls").element(index))?);
    }
    match blocks.is_empty() {
        true => Err(Invalid::at(at.member("content"), "a message of the assistant has content or tool_calls")),
        false => Ok(blocks),
    }
}

fn thought(block: ThinkingBlock) -> Block {
    Block::ReasoningContent(match block {
        ThinkingBlock::Thinking { thinking, signature } => Reasoning::ReasoningText { text: thinking, signature },
        ThinkingBlock::RedactedThinking { data } => Reasoning::RedactedContent(data),
    })
}

/// What a tool answered: something the user says.
fn result(message: Message, at: &Pointer) -> Result<Block, Invalid> {
    let Some(tool_use_id) = message.tool_call_id else {
        return Err(Invalid::at(at.member("tool_call_id"), "tool_call_id is required"));
    };
    let content = spoken(message.content, at)?;
    match content.iter().position(|block| matches!(block, Block::CachePoint(_))) {
        Some(index) => {
            let at = at.member("content").element(index.saturating_sub(1)).member("cache_control");
            Err(untranslatable(at, "Bedrock has no cache point inside of a tool's result"))
        }
        None => Ok(Block::ToolResult { tool_use_id, content }),
    }
}

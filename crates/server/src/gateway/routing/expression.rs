//! The expressions of routing rules, in the Common Expression Language, made safe to evaluate on a worker.
//!
//! The parser and the evaluator recurse, and an overflow of the stack ends the process. So a source is short, it is parsed where
//! there is a lot of stack, and what nests deeper than evaluation can bear is refused. The language has no limit of cost, so
//! loops in loops are refused, and patterns are literals that were compiled under a limit before.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedEntryExpr, IdedExpr, LiteralValue};
use cel::{Context, Env, Program, Value};
use keyward_core::invalid::Invalid;
use regex::RegexBuilder;

/// The longest source, in bytes.
const MAX_SOURCE: usize = 1_024;
/// The stack that a source is parsed with: every shape of that length fits.
const STACK: usize = 64 * 1024 * 1024;
/// How deep an expression may nest: evaluation needs about as much of a worker's stack.
const MAX_DEPTH: usize = 32;
/// The largest compiled pattern, in bytes.
const MAX_PATTERN: usize = 64 * 1024;
/// The longest message about a failure, in characters.
const MAX_MESSAGE: usize = 300;

/// The functions of the language: the standard ones.
static FUNCTIONS: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));

/// A context without variables.
pub(super) fn context() -> Context<'static, 'static> {
    Context::with_env(FUNCTIONS.clone())
}

/// When a rule applies.
pub(crate) enum Expression {
    /// The empty source.
    Always,
    /// What a program says.
    When(Program),
}

impl Expression {
    /// Compiles a source. It takes a thread of its own for a moment, so it is no work for a worker.
    ///
    /// # Errors
    /// What is wrong with the source, in words.
    pub(crate) fn compile(source: &str) -> Result<Self, String> {
        if source.trim().is_empty() {
            return Ok(Self::Always);
        }
        if source.len() > MAX_SOURCE {
            return Err(format!("it is longer than {MAX_SOURCE} bytes"));
        }
        let source = source.to_owned();
        let thread = std::thread::Builder::new().name("expression".to_owned()).stack_size(STACK);
        let compiling = thread.spawn(move || parse(&source)).map_err(|_| "no thread could be had".to_owned())?;
        let compiled = compiling.join().unwrap_or_else(|_| Err("it cannot be parsed".to_owned()));
        compiled.map(Self::When).map_err(|message| short(&message))
    }

    /// Compiles a source without keeping a worker waiting.
    ///
    /// # Errors
    /// What is wrong with the source, in words.
    pub(super) async fn compiled(source: String) -> Result<Self, String> {
        let compiling = tokio::task::spawn_blocking(move || Self::compile(&source));
        compiling.await.unwrap_or_else(|_| Err("it cannot be compiled".to_owned()))
    }

    /// Compiles the expression of a request.
    ///
    /// # Errors
    /// What is wrong with it, naming the member.
    pub(crate) async fn check(source: String) -> Result<(), Invalid> {
        let compiled = Self::compiled(source).await.map(drop);
        compiled.map_err(|what| Invalid::at("cel_expression".into(), format!("invalid CEL expression: {what}")))
    }

    /// Whether the rule applies.
    ///
    /// # Errors
    /// Why that cannot be said, in words.
    pub(super) fn holds(&self, variables: &Context<'_, '_>) -> Result<bool, String> {
        let program = match self {
            Self::Always => return Ok(true),
            Self::When(program) => program,
        };
        let evaluated = catch_unwind(AssertUnwindSafe(|| program.execute(variables)));
        match evaluated {
            Ok(Ok(Value::Bool(holds))) => Ok(holds),
            Ok(Ok(other)) => Err(format!("the expression is no bool but of type {}", other.type_of())),
            Ok(Err(error)) => Err(short(&error.to_string())),
            Err(_) => Err("the evaluation broke off".to_owned()),
        }
    }
}

/// Parses and checks. A program that is refused goes here too: dropping a deep one recurses as well.
fn parse(source: &str) -> Result<Program, String> {
    let program = FUNCTIONS.compile(source).map_err(|error| error.to_string())?;
    walk(program.expression(), Place { depth: 1, in_loop: false })?;
    Ok(program)
}

/// Variables that are no maps. In the compatible product's older examples `request` was one.
const SCALARS: [&str; 13] = [
    "budget_used",
    "customer_id",
    "customer_name",
    "estimated_input_tokens",
    "model",
    "provider",
    "request",
    "request_type",
    "team_id",
    "team_name",
    "tokens_used",
    "virtual_key_id",
    "virtual_key_name",
];

/// Where the walk is.
#[derive(Clone, Copy)]
struct Place {
    depth: usize,
    in_loop: bool,
}

fn walk(node: &IdedExpr, place: Place) -> Result<(), String> {
    if place.depth > MAX_DEPTH {
        return Err(format!("it nests deeper than {MAX_DEPTH}"));
    }
    let inner = Place { depth: place.depth + 1, ..place };
    let all = |nodes: &[IdedExpr]| nodes.iter().try_for_each(|node| walk(node, inner));
    match &node.expr {
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) => Ok(()),
        Expr::Select(select) => {
            if let Expr::Ident(name) = &select.operand.expr
                && SCALARS.contains(&name.as_str())
            {
                return Err(format!("{name} is one value and has no member '{}'", select.field));
            }
            walk(&select.operand, inner)
        }
        Expr::List(list) => all(&list.elements),
        Expr::Map(map) => entries(&map.entries, inner),
        Expr::Struct(made) => entries(&made.entries, inner),
        Expr::Call(call) => {
            if call.func_name == "matches" {
                check_pattern(call.args.last(), place)?;
            }
            call.target.iter().try_for_each(|target| walk(target, inner))?;
            all(&call.args)
        }
        Expr::Comprehension(_) if place.in_loop => Err("it has a loop in a loop".to_owned()),
        Expr::Comprehension(of) => {
            let inner = Place { in_loop: true, ..inner };
            [&of.iter_range, &of.accu_init, &of.loop_cond, &of.loop_step, &of.result]
                .into_iter()
                .try_for_each(|node| walk(node, inner))
        }
    }
}

fn entries(entries: &[IdedEntryExpr], place: Place) -> Result<(), String> {
    entries.iter().try_for_each(|entry| match &entry.expr {
        EntryExpr::StructField(field) => walk(&field.value, place),
        EntryExpr::MapEntry(entry) => {
            walk(&entry.key, place)?;
            walk(&entry.value, place)
        }
    })
}

/// A pattern is compiled at each evaluation: so it is known beforehand, it is small, and it is in no loop.
fn check_pattern(pattern: Option<&IdedExpr>, place: Place) -> Result<(), String> {
    let Some(Expr::Literal(LiteralValue::String(pattern))) = pattern.map(|node| &node.expr) else {
        return Err("the pattern of matches() must be a literal".to_owned());
    };
    if place.in_loop {
        return Err("matches() is in a loop".to_owned());
    }
    let compiled = RegexBuilder::new(pattern.inner()).size_limit(MAX_PATTERN).build();
    compiled.map(drop).map_err(|error| format!("the pattern of matches() cannot be used: {error}"))
}

/// One line, and not too long.
fn short(message: &str) -> String {
    let words: Vec<&str> = message.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests;

//! Every handler of the server says in its signature who may call it or what it costs: one class, exactly.

use super::Failure;
use super::source::{Source, bracketed_len, is_word, line_at};

const METHODS: [&str; 8] = ["get", "post", "put", "delete", "patch", "head", "options", "route"];
/// The types whose extraction authorises (`Authed`), meters (`Metered`, and `Arriving` with it), or declares a route open to all
/// (`Open`).
const CLASSES: [&str; 4] = ["Authed<", "Metered<", "Arriving<", "Open"];

pub(super) fn check(source: &Source<'_>) -> Vec<Failure> {
    if !source.path.starts_with("crates/server/src/") {
        return Vec::new();
    }
    let mut failures = Vec::new();
    let code = &source.live;
    for (offset, _) in code.match_indices("#[").filter(|&(offset, _)| is_method(code.get(offset + 2..))) {
        let Some((name, arguments)) = code.get(offset..).and_then(signature) else {
            failures.push(Failure::new(source.path, line_at(code, offset), "no function follows this route"));
            continue;
        };
        let classes = arguments.iter().filter(|argument| has_class(argument)).count();
        if classes != 1 {
            let reason = format!(
                "handler `{name}` has {classes} class arguments, must have one of {}: a route without a class \
                 would answer anyone and charge nobody",
                CLASSES.map(|class| class.trim_end_matches('<')).join(", ")
            );
            failures.push(Failure::new(source.path, line_at(code, offset), reason));
        }
    }
    failures
}

/// Whether an attribute is one of the router's, with or without the path of its crate.
fn is_method(attribute: Option<&str>) -> bool {
    let path = attribute.and_then(|text| text.split_once('(')).map(|(path, _)| path).unwrap_or_default();
    METHODS.contains(&path.strip_prefix("actix_web::").unwrap_or(path))
}

/// The name and the arguments of the first function after an attribute.
fn signature(code: &str) -> Option<(&str, Vec<&str>)> {
    let (start, _) = code.match_indices("fn ").find(|&(offset, word)| is_word(code, offset, word))?;
    let function = code.get(start + "fn ".len()..)?;
    let open = function.find('(')?;
    let (name, list) = function.split_at(open);
    let list = list.get(1..bracketed_len(list)?.checked_sub(1)?)?;
    let name = name.split('<').next().unwrap_or(name).trim();
    Some((name, arguments(list)))
}

/// The parts between commas outside all brackets.
fn arguments(list: &str) -> Vec<&str> {
    let mut depth = 0_i32;
    let separator = |character: char| {
        match character {
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' | '>' => depth -= 1,
            _ => {}
        }
        character == ',' && depth == 0
    };
    list.split(separator).collect()
}

fn has_class(argument: &str) -> bool {
    let kind = argument.split_once(':').map(|(_, kind)| kind).unwrap_or_default();
    CLASSES.iter().any(|class| kind.match_indices(class).any(|(offset, _)| is_word(kind, offset, class)))
}

#[cfg(test)]
mod tests {
    use super::super::Text;
    use super::*;

    fn lines(text: &str) -> Vec<Option<usize>> {
        let failures = check(&Source::new(&Text::sample("crates/server/src/api/keys.rs", text)));
        failures.into_iter().map(|failure| failure.line).collect()
    }

    #[test]
    fn one_class_is_right() {
        let text = "#[utoipa::path(tag = \"keys\")]\n#[get(\"/keys\")]\npub(crate) async fn key_list(\n  _: Authed<KeysRead>,\n  \
                    query: Query<HashMap<String, String>>,\n) -> Answer {}\n\
                    #[actix_web::post(\"/v1/chat\")]\nasync fn chat(admitted: gateway::Metered<Tokens>, body: Bytes) {}\n\
                    #[post(\"/v1/passed\")]\nasync fn passed(arriving: Arriving<Tokens>) {}\n\
                    #[get(\"/livez\")]\nasync fn livez(_: Open) {}";
        assert_eq!(lines(text), []);
    }

    #[test]
    fn none_and_two_are_wrong() {
        assert_eq!(lines("\n#[get(\"/keys\")]\nasync fn key_list(store: Data<Store>) -> Authed<X> {}"), [Some(2)]);
        assert_eq!(lines("#[put(\"/keys\")]\nasync fn a(_: Authed<X>, _: Open) {}"), [Some(1)]);
        assert_eq!(lines("#[patch(\"/keys\")]\nasync fn a(_: OpenKeys, _: Unauthed<X>) {}"), [Some(1)]);
    }

    #[test]
    fn the_class_of_the_next_handler_does_not_count() {
        let text = "#[get(\"/a\")]\nasync fn a() {}\n#[delete(\"/b\")]\nasync fn b(_: Open) {}";
        assert_eq!(lines(text), [Some(1)]);
    }
}

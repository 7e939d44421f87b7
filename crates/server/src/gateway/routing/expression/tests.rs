//! Hostile sources end in words, never in the end of the process.

use proptest::prelude::*;

use super::*;

fn refused(source: &str) -> String {
    Expression::compile(source).err().unwrap_or_else(|| panic!("accepted: {source}"))
}

fn holds(source: &str) -> Result<bool, String> {
    let mut variables = context();
    variables.add_variable_from_value("model", "gpt-4o");
    variables.add_variable_from_value("budget_used", 85.0_f64);
    let headers: std::collections::HashMap<String, String> = [("x-tier".to_owned(), "gold".to_owned())].into();
    variables.add_variable_from_value("headers", headers);
    Expression::compile(source)?.holds(&variables)
}

#[test]
fn an_expression_speaks_of_the_request() {
    for (source, expected) in [
        ("", true),
        (" \n ", true),
        ("true", true),
        ("model == 'gpt-4o'", true),
        ("model.startsWith('claude')", false),
        ("budget_used > 80.0 && headers['x-tier'] == 'gold'", true),
        ("'x-tier' in headers", true),
        ("'x-none' in headers && headers['x-none'] == 'a'", false),
        ("model in ['gpt-4o', 'gpt-4o-mini']", true),
        ("model.matches('^gpt-4o(-mini)?$')", true),
        ("['gpt', 'claude'].exists(family, model.startsWith(family))", true),
    ] {
        assert_eq!(holds(source), Ok(expected), "{source}");
    }
}

/// The parser cancels pairs of signs out, so that these are not deep.
#[test]
fn signs_in_pairs_cancel_out() {
    assert_eq!(holds(&format!("{}true", "!".repeat(1_000))), Ok(true));
    assert_eq!(holds(&format!("{}1 == 1", "-".repeat(1_000))), Ok(true));
}

#[test]
fn what_cannot_be_said_is_told() {
    for (source, part) in [
        ("model", "no bool"),
        ("1 + 1", "no bool"),
        ("headers['x-none'] == 'a'", "x-none"),
        ("nothing == 1", "nothing"),
        ("model + 1 == 2", "unsupported"),
        ("1 / 0 == 1", "zero"),
    ] {
        let message = holds(source).unwrap_err();
        assert!(message.to_lowercase().contains(part), "{source}: {message}");
    }
}

#[test]
fn hostile_shapes_are_refused() {
    let nested = |open: &str, close: &str, times: usize| format!("{}1{}", open.repeat(times), close.repeat(times));
    assert!(refused(&" true".repeat(300)).contains("longer than 1024 bytes"));
    for source in [
        nested("(", ")", 500),
        nested("[", "]", 500),
        nested("{1:", "}", 250),
        format!("1{} == 2", "+1".repeat(500)),
        format!("a{}", ".b".repeat(500)),
        format!("a{}", "[0]".repeat(300)),
        format!("true{}", "?true:true".repeat(100)),
        format!("{}1{}", "f(".repeat(300), ")".repeat(300)),
        "[1,2,3].map(a,[1,2,3].map(b,[1,2,3].map(c,a*b*c))).size() > 0".to_owned(),
        "[1,2].all(a,[1,2].all(b,a==b))".to_owned(),
        "[[1],[2]].map(a,a).map(b,b).size() == 2".to_owned(),
        "model.matches(headers['x-pattern'])".to_owned(),
        "['a'].exists(x, x.matches('a'))".to_owned(),
        r"model.matches('(\\w{100}){100}')".to_owned(),
        "model.matches('(')".to_owned(),
        "1 +".to_owned(),
        "\u{0}".to_owned(),
    ] {
        let message = refused(&source);
        assert!(!message.is_empty() && message.chars().count() <= MAX_MESSAGE + 1, "{message}");
    }
}

/// The deepest that is accepted can be evaluated with the stack that a worker has, and in this build, which uses most.
#[test]
fn the_deepest_expressions_can_be_evaluated() {
    let sum = format!("1{} == 31", "+1".repeat(30));
    let list = format!("{}1{} == []", "[".repeat(30), "]".repeat(30));
    let program = [sum, list].map(|source| Expression::compile(&source).unwrap());
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let evaluated = thread.spawn(move || program.iter().map(|program| program.holds(&context())).collect::<Vec<_>>());
    assert_eq!(evaluated.unwrap().join().unwrap(), [Ok(true), Ok(false)]);
}

proptest! {
    #[test]
    fn arbitrary_text_never_crashes(source in ".{0,1100}") {
        let _ = holds(&source);
    }

    #[test]
    fn arbitrary_expressions_never_crash(parts in prop::collection::vec(
        prop::sample::select(vec![
            "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "!", "-", "+", "*", "/", "%", "==", "<", "&&", "||", " in ",
            "1", "2.5", "'a'", "true", "null", "model", "headers", "a", "size", "map", "all", "matches", "has", "\"", "b'x'",
        ]),
        0..300,
    )) {
        let _ = holds(&parts.concat());
    }
}

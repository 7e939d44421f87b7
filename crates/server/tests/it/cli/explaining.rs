//! `keyward explain`: where a request would go, what it would hold, and why it would be refused.

use super::Node;

#[test]
fn a_request_is_explained_in_every_dialect() {
    let node = Node::start();
    node.provider("openai");
    node.provider("anthropic");
    node.provider("gemini");
    node.ok(&["keys", "create", "k", "--budget", "100usd/1M", "--requests", "5/1m", "--json"]);
    for (dialect, model) in [
        ("chat_completions", "openai/gpt-4o-mini"),
        ("responses", "openai/gpt-4o-mini"),
        ("embeddings", "openai/text-embedding-3-small"),
        ("messages", "anthropic/claude-haiku-4-5"),
        ("generate_content", "gemini/gemini-2.5-flash"),
    ] {
        let text = node.ok(&["explain", "k", "--model", model, "--dialect", dialect]);
        for expected in ["Admitted", "yes", model, "input tokens", "virtual key k", "requests", "$100.00", "hard"] {
            assert!(text.contains(expected), "{dialect}: {expected} is missing in: {text}");
        }
    }
    let explanation = node.json(&["explain", "k", "--model", "openai/gpt-4o-mini"]);
    assert_eq!((&explanation["admitted"], &explanation["destination"]["provider"]), (&true.into(), &"openai".into()));
}

#[test]
fn what_would_be_refused_ends_with_a_code_of_its_own() {
    let node = Node::start();
    node.provider("openai");
    node.ok(&["keys", "create", "k", "--allow", "openai/gpt-4o-mini", "--budget", "0.000001usd/1d", "--json"]);
    let blocked = node.run(&["explain", "k", "--model", "openai/gpt-4o"]);
    assert_eq!(blocked.code, 7, "{}", blocked.err);
    assert!(blocked.out.contains("model_blocked") && blocked.err.contains("model_blocked"), "{}", blocked.out);
    let file = node.directory.path().join("body.json");
    std::fs::write(
        &file,
        r#"{"model":"openai/gpt-4o-mini","max_tokens":5,"messages":[{"role":"user","content":"Hi"}]}"#,
    )
    .unwrap();
    let poor = node.run(&["explain", "k", "--body", file.to_str().unwrap()]);
    assert!(poor.code == 7 && poor.out.contains("budget_exceeded"), "{}{}", poor.out, poor.err);
    std::fs::write(&file, "{").unwrap();
    let broken = node.run(&["explain", "k", "--body", file.to_str().unwrap()]);
    assert!(broken.code == 1 && broken.err.contains("is no JSON"), "{}", broken.err);
    assert_eq!(node.run(&["explain", "k"]).code, 2);
}

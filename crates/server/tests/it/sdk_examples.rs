//! The SDK's examples, run as people run them: each a process of its own, against a real server.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::App;

/// Where cargo has put the examples, beside the tests.
fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let path = tests.parent().unwrap().with_file_name("examples").join(name);
    assert!(path.is_file(), "{} is not built: test with --workspace, or build with --examples", path.display());
    path
}

/// What an example prints.
async fn printed(app: &App, name: &str) -> Vec<String> {
    let mut command = Command::new(example(name));
    command.env("KEYWARD_URL", &app.url);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{name}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn first_key() {
    let lines = printed(&App::start().await, "first_key").await;
    let [made, says, used] = &lines[..] else { panic!("{lines:#?}") };
    assert!(made.starts_with("made the virtual key"), "{made}");
    assert!(says.ends_with("(simulated) You said: What does this cost?"), "{says}");
    assert!(used.contains(" of 0.01 USD used, until "), "{used}");
}

#[tokio::test(flavor = "multi_thread")]
async fn team_with_budgets() {
    let lines = printed(&App::start().await, "team_with_budgets").await;
    let [intern, lead, team] = &lines[..] else { panic!("{lines:#?}") };
    assert!(intern.starts_with("the intern is refused") && intern.contains("budget of the virtual key"), "{intern}");
    assert!(lead.starts_with("the lead is refused") && lead.contains("budget of the team"), "{lead}");
    assert!(team.starts_with("the team has used 0.01") && team.ends_with(" of 0.02 USD"), "{team}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_stream() {
    let app = App::start().await;
    let lines = printed(&app, "cut_stream").await;
    let [_, _, cost] = &lines[..] else { panic!("{lines:#?}") };
    assert!(cost.starts_with("the cut stream cost 0.0"), "{cost}");
    assert_eq!(app.simulator.bill().requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn quota_watch() {
    let lines = printed(&App::start().await, "quota_watch").await;
    let [watched @ .., refused, resets] = &lines[..] else { panic!("{lines:#?}") };
    assert!(watched.len() > 2 && watched.iter().all(|line| line.ends_with("of 0.005 USD used")), "{lines:#?}");
    assert!(refused.starts_with("refused: 0.00") && resets.starts_with("there is room again from "), "{lines:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn admin_automation() {
    let lines = printed(&App::start().await, "admin_automation").await;
    let [given, beyond, changes @ ..] = &lines[..] else { panic!("{lines:#?}") };
    assert_eq!(given, "3 keys have got a budget");
    assert_eq!(beyond, "a team is beyond this key: permission_denied");
    assert!(changes.len() == 3 && changes.iter().all(|line| line.contains("virtual_key_update of ")), "{lines:#?}");
}

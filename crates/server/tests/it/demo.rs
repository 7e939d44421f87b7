//! Demo mode, as a newcomer runs it: the printed commands are executed as they stand.

use std::io::{BufRead, BufReader};
use std::process::Command;

use crate::operations::{Running, keyward};

fn shell(command: &str) -> String {
    let output = Command::new("bash").args(["-c", command]).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_printed_commands_do_what_they_say() {
    let directory = tempfile::tempdir().unwrap();
    let mut command = keyward(directory.path());
    let child = command.env("PATH", "/usr/bin:/bin").args(["demo", "--listen", "127.0.0.1:0"]).spawn().unwrap();
    let mut demo = Running(child);
    let lines = BufReader::new(demo.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let guide: Vec<String> = lines.take_while(|line| !line.starts_with("Ctrl-C")).collect();
    let commands: Vec<&str> = guide.iter().filter_map(|line| line.strip_prefix("  ")).collect();
    let [call, stream, quota, until_refused] = commands[..] else { panic!("{guide:#?}") };

    let answer: serde_json::Value = serde_json::from_str(&shell(call)).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "(simulated) You said: Hello, Keyward!");
    let events = shell(stream);
    assert!(events.starts_with("data: {") && events.ends_with("data: [DONE]\n\n"), "{events}");
    let left: serde_json::Value = serde_json::from_str(&shell(quota)).unwrap();
    // 3 words in and 5 out, twice, at $10 and $40 for a million.
    assert_eq!(left["budgets"][0]["current_usage"], 0.00046);
    let refused = shell(until_refused);
    let (served, refusal) = refused.split_once('{').unwrap();
    assert!(served.len() > 5 && served.chars().all(|dot| dot == '.'), "{refused}");
    let refusal: serde_json::Value = serde_json::from_str(&format!("{{{refusal}")).unwrap();
    assert_eq!((&refusal["status_code"], &refusal["error"]["code"]), (&402.into(), &"budget_exceeded".into()));

    demo.terminate();
    assert!(demo.0.wait().unwrap().success());
}

//! A process that serves: where it listens, what it says, and how it ends.

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;

use super::Running;

/// A process that serves.
pub struct Served {
    running: Running,
    pub url: String,
    log: Arc<Mutex<Vec<String>>>,
    reading: JoinHandle<()>,
}

/// Where the line says that it serves, in either format of the log.
fn address(line: &str) -> Option<String> {
    let text = line.split_once("serving address=").map(|(_, rest)| (rest, ' '));
    let json = || line.split_once(r#""message":"serving","address":""#).map(|(_, rest)| (rest, '"'));
    let (rest, end) = text.or_else(json)?;
    rest.split(end).next().map(str::to_owned)
}

impl Served {
    /// Waits until the command serves; or how it ended, and what it said.
    pub fn start(mut command: Command) -> Result<Self, (ExitStatus, Vec<String>)> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut running = Running(command.spawn().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (served, serving) = mpsc::channel();
        let (lines, written) = (BufReader::new(running.0.stderr.take().unwrap()).lines(), log.clone());
        let reading = std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(address) = address(&line) {
                    // Nobody waits for it any more when the test is over.
                    let _ = served.send(address);
                }
                written.lock().unwrap().push(line);
            }
        });
        match serving.recv() {
            Ok(address) => Ok(Self { running, url: format!("http://{address}"), log, reading }),
            Err(_) => {
                let status = running.0.wait().unwrap();
                Err((status, log.lock().unwrap().clone()))
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.running.0.id()
    }

    /// What it has said so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap().clone()
    }

    /// Stops it as an operator does, and returns everything that it has said.
    pub fn finished(mut self) -> Vec<String> {
        self.running.terminate();
        let status = self.running.0.wait().unwrap();
        self.reading.join().unwrap();
        let log = self.log.lock().unwrap().clone();
        assert!(status.success(), "{status}: {log:#?}");
        log
    }

    /// Kills it as `kill -9` does.
    pub fn kill(mut self) {
        self.running.0.kill().unwrap();
        self.running.0.wait().unwrap();
    }

    /// Waits until it has died of a kill.
    pub fn died(mut self) {
        let status = self.running.0.wait().unwrap();
        assert!(is_killed(status), "{status}: {:#?}", self.log());
    }

    /// Stops it as an operator does.
    pub fn stop(mut self) {
        self.running.terminate();
        let status = self.running.0.wait().unwrap();
        assert!(status.success(), "{status}: {:#?}", self.log());
    }
}

/// True for a process that was killed as by `kill -9`.
pub fn is_killed(status: ExitStatus) -> bool {
    status.signal() == Some(9)
}

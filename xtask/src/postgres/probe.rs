//! Asks a PostgreSQL server, in its own protocol (3.0), whether a user may come in without a password and create
//! databases.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(2);
const QUESTION: &str = "SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolcreatedb)";
/// No answer that matters here is longer.
const LONGEST: u32 = 64 * 1024;

/// Whether the server is there and lets this user create databases.
pub(crate) fn accepts(address: SocketAddr, user: &str) -> bool {
    !user.is_empty() && may_create(address, user).unwrap_or(false)
}

fn may_create(address: SocketAddr, user: &str) -> io::Result<bool> {
    let mut server = TcpStream::connect_timeout(&address, PATIENCE)?;
    server.set_read_timeout(Some(PATIENCE))?;
    server.set_write_timeout(Some(PATIENCE))?;
    server.write_all(&startup(user))?;
    if !conversation(&mut server)?.ready {
        return Ok(false);
    }
    server.write_all(&message(Some(b'Q'), format!("{QUESTION}\0").as_bytes()))?;
    let answer = conversation(&mut server)?;
    server.write_all(&message(Some(b'X'), b""))?;
    Ok(answer.ready && answer.rows > 0)
}

struct Answer {
    ready: bool,
    rows: usize,
}

/// Reads until the server is ready for the next question, refuses, or asks for a password.
fn conversation(server: &mut impl Read) -> io::Result<Answer> {
    let mut rows = 0;
    loop {
        let (kind, body) = receive(server)?;
        match kind {
            b'Z' => return Ok(Answer { ready: true, rows }),
            b'R' if body != [0; 4] => return Ok(Answer { ready: false, rows }),
            b'E' => return Ok(Answer { ready: false, rows }),
            b'D' => rows += 1,
            _ => {}
        }
    }
}

fn receive(server: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let (mut kind, mut length) = ([0], [0; 4]);
    server.read_exact(&mut kind)?;
    server.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length).saturating_sub(4);
    if length > LONGEST {
        return Err(io::Error::other("whoever listens there does not speak PostgreSQL's protocol"));
    }
    let mut body = Vec::new();
    server.take(length.into()).read_to_end(&mut body)?;
    Ok((u8::from_be_bytes(kind), body))
}

fn startup(user: &str) -> Vec<u8> {
    let version = 3_u32 << 16;
    message(None, &[&version.to_be_bytes(), format!("user\0{user}\0database\0postgres\0\0").as_bytes()].concat())
}

/// A message: its kind, which the first one lacks, its length including the length itself, its body.
fn message(kind: Option<u8>, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let kind = kind.into_iter().collect::<Vec<_>>();
    [kind.as_slice(), &length.to_be_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A server that answers each message with the next of these texts.
    fn server(answers: &'static [&'static [u8]]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (mut client, _) = listener.accept().unwrap();
            for answer in answers {
                let _ = client.read(&mut [0; 1024]).unwrap();
                client.write_all(answer).unwrap();
            }
        });
        address
    }

    const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

    #[test]
    fn a_user_who_may_create_databases_is_accepted() {
        assert!(accepts(server(&[WELCOME, b"D\0\0\0\x06\0\0Z\0\0\0\x05I"]), "postgres"));
    }

    #[test]
    fn a_user_without_that_right_or_with_a_password_is_not() {
        assert!(!accepts(server(&[WELCOME, b"Z\0\0\0\x05I"]), "postgres"));
        assert!(!accepts(server(&[b"R\0\0\0\x08\0\0\0\x0a"]), "postgres"));
        assert!(!accepts(server(&[b"R\0\0\0\x08\0\0\0\0E\0\0\0\x05\0"]), "postgres"));
    }

    #[test]
    fn another_protocol_is_not_waited_for() {
        assert!(!accepts(server(&[b"HTTP/1.1 400 Bad Request\r\n\r\n"]), "postgres"));
    }
}

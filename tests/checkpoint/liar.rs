//! A server that answers whatever it is told to, and nothing else.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What it says to every request.
#[derive(Clone)]
pub(crate) enum Say {
    /// A status, a content type and a body.
    Text(u16, &'static str, String),
    /// Status 200 and these bytes.
    Bytes(Vec<u8>),
    /// Look elsewhere.
    Redirect(u16, String),
    /// 409 and a size, the next one at each request.
    Sizes(Vec<u64>),
    /// A body without end.
    Endless,
    /// A body that is never whole, a byte now and then.
    Drip,
    /// A header without end.
    EndlessHeader,
    /// These bytes, whatever they are.
    Raw(String),
    /// Nothing, and the connection stays open.
    Silence,
    /// Nothing.
    Close,
}

pub(crate) struct Liar {
    url: String,
    asked: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Liar {
    pub(crate) fn start(say: Say) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (say, seen) = (say.clone(), Arc::clone(&seen));
                thread::spawn(move || {
                    // Who has heard enough goes away.
                    let _ = answer(connection, &say, &seen);
                });
            }
        });
        Self { url, asked }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }

    /// The body of the last request.
    pub(crate) fn last_body(&self) -> Vec<u8> {
        self.asked.lock().unwrap().last().unwrap().clone()
    }
}

fn answer(mut to: TcpStream, say: &Say, asked: &Mutex<Vec<Vec<u8>>>) -> std::io::Result<()> {
    while let Some(body) = request(&mut to)? {
        let count = {
            let mut asked = asked.lock().unwrap();
            asked.push(body);
            asked.len()
        };
        match say {
            Say::Text(status, kind, body) => respond(&mut to, *status, kind, "", body.as_bytes())?,
            Say::Bytes(body) => respond(&mut to, 200, "text/plain", "", body)?,
            Say::Redirect(status, place) => {
                respond(&mut to, *status, "", &format!("Location: {place}\r\n"), b"")?;
            }
            Say::Sizes(sizes) => {
                let size = format!("{}\n", sizes[(count - 1) % sizes.len()]);
                respond(&mut to, 409, "text/x.tlog.size", "", size.as_bytes())?;
            }
            Say::Endless => {
                to.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")?;
                loop {
                    to.write_all(&[b'x'; 4096])?;
                }
            }
            Say::Drip => {
                to.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")?;
                loop {
                    to.write_all(b"x")?;
                    thread::sleep(Duration::from_millis(100));
                }
            }
            Say::EndlessHeader => {
                to.write_all(b"HTTP/1.1 200 OK\r\n")?;
                loop {
                    to.write_all(b"X-More: and more and more and more\r\n")?;
                }
            }
            Say::Raw(bytes) => return to.write_all(bytes.as_bytes()),
            Say::Silence => loop {
                thread::sleep(Duration::from_secs(1));
            },
            Say::Close => return Ok(()),
        }
    }
    Ok(())
}

fn respond(
    to: &mut TcpStream,
    status: u16,
    kind: &str,
    more: &str,
    body: &[u8],
) -> std::io::Result<()> {
    let kind = if kind.is_empty() { String::new() } else { format!("Content-Type: {kind}\r\n") };
    let length =
        if status == 204 { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
    to.write_all(format!("HTTP/1.1 {status} Said\r\n{kind}{more}{length}\r\n").as_bytes())?;
    to.write_all(body)
}

/// The body of the next request.
fn request(from: &mut TcpStream) -> std::io::Result<Option<Vec<u8>>> {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") {
        if from.read(&mut byte)? == 0 {
            return Ok(None);
        }
        read.push(byte[0]);
    }
    let head = String::from_utf8(read).unwrap().to_lowercase();
    assert!(head.starts_with("post /add-checkpoint http/1.1\r\n"), "{head}");
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.expect("a length").parse().unwrap()];
    from.read_exact(&mut body)?;
    Ok(Some(body))
}

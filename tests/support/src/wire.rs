//! As much of PostgreSQL's protocol (version 3.0, "Message Formats") as lying
//! in it takes.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// One message. All have a type byte, except the client's first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PgMessage {
    /// The type byte: `b'Q'` query, `b'T'` row description, `b'D'` data row,
    /// `b'C'` complete, `b'E'` error, `b'Z'` ready; 0 for the start-up message.
    /// From the client also `b'P'` parse, `b'B'` bind, `b'E'` execute, `b'C'`
    /// close, `b'S'` sync.
    pub kind: u8,
    /// The payload, without type and length.
    pub body: Vec<u8>,
}

impl PgMessage {
    /// A simple query.
    pub fn query(text: &str) -> Self {
        Self { kind: b'Q', body: [text.as_bytes(), b"\0"].concat() }
    }

    /// A data row in text format; `None` is NULL.
    pub fn data_row(columns: &[Option<Vec<u8>>]) -> Self {
        let mut body = (columns.len() as u16).to_be_bytes().to_vec();
        for column in columns {
            match column {
                None => body.extend((-1i32).to_be_bytes()),
                Some(bytes) => {
                    body.extend((bytes.len() as u32).to_be_bytes());
                    body.extend(bytes);
                }
            }
        }
        Self { kind: b'D', body }
    }

    /// A query's text; none if this is no query.
    pub fn query_text(&self) -> Option<String> {
        let text = (self.kind == b'Q').then_some(&self.body)?.strip_suffix(b"\0")?;
        Some(String::from_utf8_lossy(text).into_owned())
    }

    /// What a client's message says of a prepared statement: its name, and the
    /// text if this is where it gets one.
    pub(crate) fn prepared(&self) -> Option<(String, Option<String>)> {
        let mut texts = self.body.split(|byte| *byte == 0);
        let mut next = || texts.next().map(|text| String::from_utf8_lossy(text).into_owned());
        match self.kind {
            b'P' => Some((next()?, Some(next()?))),
            // Behind the portal's name.
            b'B' => next().and_then(|_| Some((next()?, None))),
            _ => None,
        }
    }

    /// The values that a client binds, as it wrote them; none if this binds
    /// nothing.
    pub fn bound(&self) -> Option<Vec<Option<Vec<u8>>>> {
        values(&mut &self.body[self.bound_from()?..])
    }

    /// Binds another value in place of the first.
    ///
    /// # Panics
    /// If this binds nothing.
    pub fn bind_first(&mut self, value: &[u8]) {
        let from = self.bound_from().expect("bound values") + 2;
        let old: [u8; 4] = take(&mut &self.body[from..]).expect("a value");
        let old = usize::try_from(i32::from_be_bytes(old)).unwrap_or(0);
        let new = [&(value.len() as u32).to_be_bytes(), value].concat();
        self.body.splice(from..from + 4 + old, new);
    }

    /// Where the number of bound values stands.
    fn bound_from(&self) -> Option<usize> {
        let rest = (self.kind == b'B').then_some(&self.body[..])?;
        // Behind the portal's name, the statement's, and the values' formats.
        let mut rest = rest.splitn(3, |byte| *byte == 0).nth(2)?;
        let formats = u16::from_be_bytes(take(&mut rest)?);
        rest.split_off(..2 * usize::from(formats))?;
        Some(self.body.len() - rest.len())
    }

    /// A data row's columns as the server wrote them (text format: a BLOB is
    /// `\x` and hex); none if this is no data row.
    pub fn columns(&self) -> Option<Vec<Option<Vec<u8>>>> {
        values(&mut (self.kind == b'D').then_some(&self.body[..])?)
    }

    /// Puts a text in place of column `index` of a data row.
    ///
    /// # Panics
    /// If this is no data row or has no such column.
    pub fn set_column(&mut self, index: usize, text: impl Into<Vec<u8>>) {
        let mut columns = self.columns().expect("a data row");
        columns[index] = Some(text.into());
        *self = Self::data_row(&columns);
    }

    /// The names in a row description; none if this is none.
    pub fn column_names(&self) -> Option<Vec<String>> {
        let mut rest = (self.kind == b'T').then_some(&self.body[..])?;
        let count = u16::from_be_bytes(take(&mut rest)?);
        let name = |_| {
            let end = rest.iter().position(|b| *b == 0)?;
            let name = String::from_utf8_lossy(&rest[..end]).into_owned();
            // After the name: table, column, type, size, modifier, format.
            rest = rest.get(end + 1 + 18..)?;
            Some(name)
        };
        (0..count).map(name).collect()
    }

    /// The bytes on the wire.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = if self.kind == 0 { vec![] } else { vec![self.kind] };
        bytes.extend((self.body.len() as u32 + 4).to_be_bytes());
        bytes.extend(&self.body);
        bytes
    }

    /// Reads one message; the client's first if `startup`.
    pub(crate) fn read(from: &mut impl Read, startup: bool) -> io::Result<Self> {
        let mut kind = [0];
        if !startup {
            from.read_exact(&mut kind)?;
        }
        let mut len = [0; 4];
        from.read_exact(&mut len)?;
        let len = u32::from_be_bytes(len).checked_sub(4).ok_or(io::ErrorKind::InvalidData)?;
        let mut body = vec![0; len as usize];
        from.read_exact(&mut body)?;
        Ok(Self { kind: kind[0], body })
    }

    /// The client's request for TLS, which comes before its start-up message.
    pub(crate) fn is_tls_request(&self) -> bool {
        self.kind == 0 && self.body == 80_877_103u32.to_be_bytes()
    }
}

/// How many, and each behind its length; −1 for NULL.
fn values(rest: &mut &[u8]) -> Option<Vec<Option<Vec<u8>>>> {
    let count = u16::from_be_bytes(take(rest)?);
    let value = |_| match i32::from_be_bytes(take(rest)?) {
        -1 => Some(None),
        len => Some(Some(rest.split_off(..usize::try_from(len).ok()?)?.to_vec())),
    };
    (0..count).map(value).collect()
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk::<N>()?;
    *rest = tail;
    Some(*head)
}

/// Logs in over the PostgreSQL wire and goes: proof that the server answers.
pub(crate) fn log_in(host: &str, port: u16, user: &str, password: &str) -> io::Result<()> {
    let mut stream = TcpStream::connect((host, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let settings = format!("user\0{user}\0database\0defaultdb\0\0");
    let body = [&196_608u32.to_be_bytes()[..], settings.as_bytes()].concat();
    stream.write_all(&PgMessage { kind: 0, body }.to_bytes())?;
    loop {
        let message = PgMessage::read(&mut stream, false)?;
        match (message.kind, message.body.as_slice()) {
            // A password in clear text, the one kind that immudb asks for.
            (b'R', [0, 0, 0, 3]) => {
                let body = [password.as_bytes(), b"\0"].concat();
                stream.write_all(&PgMessage { kind: b'p', body }.to_bytes())?;
            }
            (b'Z', _) => {
                return stream.write_all(&PgMessage { kind: b'X', body: vec![] }.to_bytes());
            }
            (b'E', body) => {
                let text = String::from_utf8_lossy(body).replace('\0', " ");
                return Err(io::Error::other(text));
            }
            _ => {}
        }
    }
}

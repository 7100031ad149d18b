use arbitrary::Arbitrary;

/// What an attacker does to bytes.
#[derive(Arbitrary, Debug)]
pub enum Change {
    Set(u16, u8),
    Remove(u16),
    Insert(u16, u8),
    Cut(u16),
}

impl Change {
    pub fn apply(&self, bytes: &mut Vec<u8>) {
        let len = bytes.len();
        match *self {
            Self::Insert(at, byte) => bytes.insert(usize::from(at) % (len + 1), byte),
            _ if len == 0 => {}
            Self::Set(at, byte) => bytes[usize::from(at) % len] = byte,
            Self::Remove(at) => drop(bytes.remove(usize::from(at) % len)),
            Self::Cut(at) => bytes.truncate(usize::from(at) % len),
        }
    }
}

//! What `docs/receipt.md` has: bytes, and as text the keys of its checkpoint, and the note.

const DOCUMENT: &str = include_str!("../../docs/receipt.md");

/// The bytes of that name; long ones go on in the next lines.
pub fn documented(name: &str) -> Vec<u8> {
    let (_, rest) = DOCUMENT.split_once(&format!("\n{name} = ")).expect("a name");
    let (first, rest) = rest.split_once('\n').expect("a line");
    let more = rest.lines().map_while(|line| line.strip_prefix("    "));
    let digits: Vec<u8> = first.bytes().chain(more.flat_map(str::bytes)).collect();
    let digit = |digit: u8| (digit as char).to_digit(16).expect("a digit") as u8;
    digits.chunks(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])).collect()
}

/// The keys, one a line, and the note.
pub fn texts() -> [&'static str; 2] {
    let mut blocks = DOCUMENT.split("\n```text\n").skip(1);
    [(); 2].map(|()| {
        let block = blocks.next().expect("a block");
        let end = block.find("```").expect("its end");
        &block[..end]
    })
}

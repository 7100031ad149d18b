//! What `docs/receipt.md` has as text: the keys of its checkpoint, and the note.

/// The keys, one a line, and the note.
pub fn texts() -> [&'static str; 2] {
    let document = include_str!("../../docs/receipt.md");
    let mut blocks = document.split("\n```text\n").skip(1);
    [(); 2].map(|()| {
        let block = blocks.next().expect("a block");
        let end = block.find("```").expect("its end");
        &block[..end]
    })
}

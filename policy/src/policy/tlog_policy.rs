//! C2SP's file of logs, witnesses and a quorum (c2sp.org/tlog-policy), read strictly.
//!
//! Stricter than the text of the format in one thing: the file is UTF-8, so that names can be shown.

use super::document::Needs;
use super::error::PolicyProblem;
use super::witnessing::{Witnessing, WitnessingBuilder};

/// Lines that a file may have.
const MAX_LINES: usize = 4096;

/// Reads the text of such a file.
pub(super) fn read(text: &str) -> Result<Witnessing, PolicyProblem> {
    let Some(text) = text.strip_suffix('\n') else {
        return Err(PolicyProblem::new(
            format!("line {}", text.lines().count()),
            "the last line has no end",
            "end it with a newline: the file may have been cut",
        ));
    };
    if text.split('\n').count() > MAX_LINES {
        return Err(PolicyProblem::new("", "more than 4096 lines", "shorten the file"));
    }
    let mut builder = WitnessingBuilder::default();
    for (line, number) in text.split('\n').zip(1_u32..) {
        read_line(line, &format!("line {number}"), &mut builder)?;
    }
    builder.finish("quorum")
}

fn read_line(
    line: &str,
    place: &str,
    builder: &mut WitnessingBuilder,
) -> Result<(), PolicyProblem> {
    // A carriage return among them: no other byte below a space, and no delete.
    if let Some(control) = line.bytes().find(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(PolicyProblem::new(
            place,
            format!("the control character {control:#04x}"),
            "only tabs and newlines may stand there",
        ));
    }
    let items: Vec<&str> = line.split([' ', '\t']).filter(|item| !item.is_empty()).collect();
    match items[..] {
        [] => Ok(()),
        [first, ..] if first.starts_with('#') => Ok(()),
        ["log", key] => builder.log(place, key, None),
        ["log", key, url] => builder.log(place, key, Some(url)),
        ["witness", name, key] => builder.witness(place, name, key, None),
        ["witness", name, key, url] => builder.witness(place, name, key, Some(url)),
        ["group", name, needs, ref members @ ..] => {
            let needs: Needs = needs.parse().map_err(|what| {
                PolicyProblem::new(
                    place,
                    format!("{needs:?} is {what}"),
                    "say how many of the group's members it takes",
                )
            })?;
            builder.group(place, name, needs, members)
        }
        ["quorum", name] => builder.quorum(place, name),
        [word, ..] => Err(PolicyProblem::new(
            place,
            format!("{word:?} with {} items behind it", items.len() - 1),
            "a line is `log KEY [URL]`, `witness NAME KEY [URL]`, \
             `group NAME any|all|NUMBER MEMBER…` or `quorum NAME`",
        )),
    }
}

//! Notes, checkpoints, keys and proofs are read in one form each, and written so.

mod log;

use counterfoil_core::checkpoint::{
    Checkpoint, KeyError, KeyName, LogKey, Note, NoteError, NoteSignature, TlogProof,
    TlogProofText, WitnessKey,
};
use counterfoil_core::{Ed25519Error, LeafIndex, Root, TreeSize, TxId};
use log::*;

/// The example of c2sp.org/signed-note.
const VKEY: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const NOTE: &str = "This is an example message.\n\n\u{2014} example.com/foo \
    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

/// The example of c2sp.org/tlog-cosignature; its keys are not published.
const COSIGNED: &str = "example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u{2014} example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==
";

fn refused(bytes: &str) -> NoteError {
    Note::parse(bytes.as_bytes()).expect_err(bytes)
}

#[test]
fn the_published_note_is_by_the_published_key() {
    let key = LogKey::parse(VKEY).unwrap();
    assert_eq!(key.to_string(), VKEY);
    assert_eq!(key.name().as_str(), "example.com/foo");
    assert_eq!(key.id().to_string(), "530d903a");

    let note = Note::parse(NOTE.as_bytes()).unwrap();
    assert_eq!(note.text(), "This is an example message.\n");
    assert_eq!(note.to_string(), NOTE);
    let [signature] = note.signatures().collect::<Vec<_>>()[..] else { panic!() };
    assert!(key.is_named_by(&signature));
    let bytes = signature.as_plain().unwrap();
    assert_eq!(key.key().verify(&[note.text().as_bytes()], &bytes), Ok(()));
    assert_eq!(
        key.key().verify(&[b"This is another message.\n"], &bytes),
        Err(Ed25519Error::Signature)
    );
    // What is read is written so.
    assert!(NOTE.ends_with(&key.signature(&bytes).to_string()));
}

#[test]
fn a_published_checkpoint_is_read_and_written_again() {
    let note = Note::parse(COSIGNED.as_bytes()).unwrap();
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!(checkpoint.origin().as_str(), "example.com/behind-the-sofa");
    assert_eq!(checkpoint.size(), TreeSize::new(20_852_163));
    assert_eq!(checkpoint.to_string(), note.text());
    assert_eq!(checkpoint.extensions(), "");
    let [log, witness] = note.signatures().collect::<Vec<_>>()[..] else { panic!() };
    assert!(log.as_plain().is_some() && log.as_cosignature().is_none());
    assert_eq!(witness.as_cosignature().unwrap().0, 1_679_315_147);
    assert!(witness.as_plain().is_none());
    let (time, signature) = witness.as_cosignature().unwrap();
    let again = NoteSignature::cosignature(witness.name(), witness.id(), time, &signature).unwrap();
    assert!(COSIGNED.ends_with(&again.to_string()));
}

#[test]
fn a_note_is_split_at_its_last_empty_line() {
    let text = "one\n\ntwo\n\n\nthree\n";
    let whole = format!("{text}\n{}", &NOTE["This is an example message.\n\n".len()..]);
    let note = Note::parse(whole.as_bytes()).unwrap();
    assert_eq!(note.text(), text);
    assert_eq!(note.signatures().count(), 1);
}

#[test]
fn what_is_no_note_is_refused() {
    let line = &NOTE["This is an example message.\n\n".len()..];
    let body = line.strip_suffix('\n').unwrap();
    for (bytes, error) in [
        (String::new(), NoteError::Unsigned),
        ("text\n".into(), NoteError::Unsigned),
        ("text\n\n".into(), NoteError::Unsigned),
        (format!("text\n{line}"), NoteError::Unsigned),
        (format!("{line}\n"), NoteError::Unsigned),
        (format!("text\n\n{line}\n"), NoteError::Unsigned),
        (format!("text\n\n{body}"), NoteError::SignatureLine),
        (format!("text\n\n{body} \n"), NoteError::SignatureLine),
        (format!("text\n\n {line}"), NoteError::SignatureLine),
        (format!("text\n\n-{}", &line["\u{2014}".len()..]), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replacen(' ', "  ", 1)), NoteError::Name),
        (format!("text\n\n{}", line.replace("foo ", "foo  ")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace("/foo", "+foo")), NoteError::Name),
        (format!("text\n\n{}", line.replace("/foo", "\u{a0}foo")), NoteError::Name),
        (format!("text\n\n{}", line.replace("aQM=", "aQN=")), NoteError::SignatureLine),
        (format!("text\n\n{}", line.replace("aQM=", "aQM")), NoteError::SignatureLine),
        ("text\n\n\u{2014} a AAAAAA==\n".into(), NoteError::SignatureLine),
        (format!("te\txt\n\n{line}"), NoteError::Text),
        (format!("te\rxt\n\n{line}"), NoteError::Text),
        (format!("te\u{7f}xt\n\n{line}"), NoteError::Text),
        (format!("te\u{9b}xt\n\n{line}"), NoteError::Text),
        (format!("text\n\n{line}text\n"), NoteError::SignatureLine),
    ] {
        assert_eq!(refused(&bytes), error, "{bytes:?}");
    }
    let mut bytes = NOTE.as_bytes().to_vec();
    bytes[3] = 0xff;
    assert_eq!(Note::parse(&bytes), Err(NoteError::Text));
}

#[test]
fn a_note_has_up_to_a_hundred_signatures_and_a_million_bytes() {
    let line = &NOTE["This is an example message.\n\n".len()..];
    let many = |count: usize| format!("text\n\n{}", line.repeat(count));
    assert_eq!(Note::parse(many(100).as_bytes()).unwrap().signatures().count(), 100);
    assert_eq!(refused(&many(101)), NoteError::TooManySignatures);

    let padded = |len: usize| {
        let text = "x".repeat(len - line.len() - 2);
        format!("{text}\n\n{line}")
    };
    assert!(Note::parse(padded(Note::MAX_LEN).as_bytes()).is_ok());
    assert_eq!(refused(&padded(Note::MAX_LEN + 1)), NoteError::TooLarge);
    // One of another kind: 2,420 bytes of ML-DSA-44 and a time.
    let mut other = String::from("text\n\n\u{2014} w.example ");
    other.push_str(&"AAAA".repeat(2432 / 3));
    other.push_str("AAA=\n");
    let note = Note::parse(other.as_bytes()).unwrap();
    let signature = note.signatures().next().unwrap();
    assert_eq!((signature.as_plain(), signature.as_cosignature()), (None, None));
    assert_eq!(note.to_string(), other);
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
    for (text, error) in [
        (String::new(), NoteError::Name),
        (format!("\n1\n{root}\n"), NoteError::Name),
        (format!("a b\n1\n{root}\n"), NoteError::Name),
        (format!("a+b\n1\n{root}\n"), NoteError::Name),
        (format!("{}\n1\n{root}\n", "a".repeat(256)), NoteError::Name),
        ("a\n".into(), NoteError::Size),
        (format!("a\n01\n{root}\n"), NoteError::Size),
        (format!("a\n+1\n{root}\n"), NoteError::Size),
        (format!("a\n1 \n{root}\n"), NoteError::Size),
        (format!("a\n18446744073709551616\n{root}\n"), NoteError::Size),
        ("a\n1\n".into(), NoteError::Root),
        (format!("a\n1\n{root}"), NoteError::Root),
        (format!("a\n1\n{}\n", root.replace("I=", "J=")), NoteError::Root),
        (format!("a\n1\n{}\n", &root[..43]), NoteError::Root),
        ("a\n1\nZm9v\n".into(), NoteError::Root),
        (format!("a\n1\n{root}AAAA\n"), NoteError::Root),
        (format!("a\n0\n{root}\n"), NoteError::EmptyTree),
        (format!("a\n1\n{root}\n\n"), NoteError::Extension),
        (format!("a\n1\n{root}\nmore"), NoteError::Extension),
        (format!("a\n1\n{root}\nmo\tre\n"), NoteError::Text),
    ] {
        assert_eq!(Checkpoint::parse(&text), Err(error), "{text:?}");
    }
    let extended = format!("a\n18446744073709551615\n{root}\nmore\nand more\n");
    let checkpoint = Checkpoint::parse(&extended).unwrap();
    assert_eq!(checkpoint.extensions(), "more\nand more\n");
    assert_eq!(checkpoint.to_string(), extended);
    let empty = Checkpoint::new(name("a"), TreeSize::new(0), Root::EMPTY).unwrap().to_string();
    assert_eq!(empty, "a\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
    assert!(Checkpoint::parse(&empty).is_ok());
}

#[test]
fn a_verifier_key_has_one_form() {
    let (log, witness) = (log(1).to_string(), witness(1).to_string());
    assert_eq!(LogKey::parse(&log).unwrap().to_string(), log);
    assert_eq!(WitnessKey::parse(&witness).unwrap().to_string(), witness);
    assert_eq!(LogKey::parse(&witness), Err(KeyError::Type { found: 4 }));
    assert_eq!(WitnessKey::parse(&log), Err(KeyError::Type { found: 1 }));

    let [name, id, key] = VKEY.split('+').collect::<Vec<_>>()[..] else { panic!() };
    let expected = LogKey::parse(VKEY).unwrap().id();
    for (text, error) in [
        (String::new(), KeyError::Form),
        (name.into(), KeyError::Form),
        (format!("{name}+{id}"), KeyError::Form),
        (format!("+{id}+{key}"), KeyError::Name),
        (format!("a b+{id}+{key}"), KeyError::Name),
        (format!("{name}+530D903A+{key}"), KeyError::Form),
        (format!("{name}+530d903+{key}"), KeyError::Form),
        (format!("{name}+0530d903a+{key}"), KeyError::Form),
        (format!("{name}+530d903b+{key}"), KeyError::Id { expected }),
        (format!("{name}+{id}+{key}\n"), KeyError::Form),
        (format!("{name}+{id}+{key} "), KeyError::Form),
        (format!("{name}+{id}+{}", &key[..43]), KeyError::Form),
        (format!("{name}+{id}+{}", &key[..40]), KeyError::Form),
        // ECDSA, ML-DSA.
        (format!("{name}+{id}+Aj{}", &key[2..]), KeyError::Type { found: 2 }),
        (format!("{name}+{id}+{}", "BgAA".repeat(10)), KeyError::Type { found: 6 }),
        // The neutral point has small order: any signature of a kind holds under it.
        (
            format!("{name}+{id}+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
            KeyError::Key(Ed25519Error::Key),
        ),
    ] {
        assert_eq!(LogKey::parse(&text), Err(error), "{text:?}");
    }
    let renamed = VKEY.replace("/foo", "/bar");
    assert!(matches!(LogKey::parse(&renamed), Err(KeyError::Id { .. })));
}

#[test]
fn a_name_is_one_word() {
    for text in ["a", "example.com/log42", "é", &"a".repeat(255)] {
        assert_eq!(KeyName::new(text).unwrap().as_str(), text);
    }
    for text in ["", " ", "a b", "a\n", "a+b", "a\u{2003}b", "a\u{0}", "a\u{85}", &"a".repeat(256)]
    {
        assert_eq!(KeyName::new(text), Err(NoteError::Name), "{text:?}");
    }
}

#[test]
fn a_proof_has_one_form() {
    let path = [[1; 32], [2; 32]];
    let note = Note::parse(COSIGNED.as_bytes()).unwrap();
    let written =
        TlogProofText { extra: b"", index: LeafIndex::new(7), path: &path, note }.to_string();
    let proof = TlogProof::parse(written.as_bytes()).unwrap();
    assert_eq!((proof.index(), proof.tx()), (LeafIndex::new(7), Some(TxId::new(8))));
    assert_eq!(proof.extra(), None);
    assert_eq!(proof.note(), note);
    let mut buffer = [[0; 32]; TlogProof::MAX_PATH];
    assert_eq!(proof.path(&mut buffer), path);

    let with_extra =
        TlogProofText { extra: b"f", index: LeafIndex::new(u64::MAX), path: &[], note };
    let extra = with_extra.to_string();
    let proof = TlogProof::parse(extra.as_bytes()).unwrap();
    assert_eq!((proof.extra(), proof.tx()), (Some("Zg=="), None));
    assert_eq!(proof.path(&mut buffer), [[0; 32]; 0]);

    let line = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";
    assert!(written.contains(line));
    for (text, error) in [
        (String::new(), NoteError::Proof),
        (written.replace("@v1", "@v2"), NoteError::Proof),
        (written.replace("index 7", "index 07"), NoteError::Index),
        (written.replace("index 7", "index  7"), NoteError::Index),
        (written.replace("index 7\n", ""), NoteError::Proof),
        (written.replace("index 7", "extra \nindex 7"), NoteError::Proof),
        (written.replace("index 7", "extra Zh==\nindex 7"), NoteError::Proof),
        (written.replace("index 7", "index 7\nindex 7"), NoteError::Path),
        (written.replace(line, "AQE=\n"), NoteError::Path),
        (written.replace(line, &line.replace("E=", "F=")), NoteError::Path),
        (written.replace(line, &line.repeat(64)), NoteError::Path),
        (written.replace("\n\nexample", "\nexample"), NoteError::Path),
        (written.replace("\n\nexample", "\n\n\nexample"), NoteError::Name),
        (written[..written.len() - 1].into(), NoteError::SignatureLine),
    ] {
        assert_eq!(TlogProof::parse(text.as_bytes()), Err(error), "{text:?}");
    }
    let longest = written.replace(line, &line.repeat(63));
    let proof = TlogProof::parse(longest.as_bytes()).unwrap();
    assert_eq!(proof.path(&mut buffer).len(), 64);
}

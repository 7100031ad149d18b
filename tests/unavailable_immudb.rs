//! Servers that cannot be used: one clear sentence each, with the remedy.

mod on_server;

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use counterfoil::{Config, Error, EventStore, TlsMode, Unavailable};
use counterfoil_test_support::{
    Action, Direction, Options, PgMessage, Proxy, Server, TempDir, server, temp_dir,
};

const PASSWORD: &str = "a secret that is nobody's business";

/// A new database of the shared server.
fn reachable(log: &TempDir) -> Config {
    let server = server();
    let mut config = on_server::config(server, server.fresh_database_name(), log);
    config.storage.immudb.timeout_seconds = 5;
    config
}

/// Opens a store as `alter` makes the configuration, and gives back why that
/// did not go. Both ways of opening must say the same.
async fn why_not(alter: impl Fn(&mut Config)) -> (Unavailable, String) {
    let log = temp_dir("unavailable");
    let mut config = reachable(&log);
    alter(&mut config);
    let read_only = EventStore::open_read_only(&config).await.unwrap_err();
    let error = EventStore::open(&config).await.unwrap_err();
    let text = error.to_string();
    assert_eq!(read_only.to_string(), text);
    assert!(!text.contains('\n') && !text.contains(PASSWORD), "{text}");
    assert!(!format!("{error:?} {config:?}").contains(PASSWORD));
    match error {
        Error::Unavailable(unavailable) => (unavailable, text),
        other => panic!("{other:?}"),
    }
}

/// A port at which each connection gets the bytes, in answer to whatever it
/// says first, and then nothing more.
fn answering(bytes: &'static [u8], then_closes: bool) -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut kept = Vec::new();
        for mut connection in listener.incoming().flatten() {
            let _ = connection.read(&mut [0; 1024]);
            let _ = connection.write_all(bytes);
            if !then_closes {
                kept.push(connection);
            }
        }
    });
    port
}

#[tokio::test]
async fn grpcs_port_is_called_by_its_name() {
    let private = Server::start_private();
    let (error, text) = why_not(|config| config.storage.immudb.port = private.grpc_port()).await;
    let Unavailable::WrongPort { port, .. } = error else { panic!("{text}") };
    assert_eq!(port, private.grpc_port());
    assert!(text.contains("gRPC") && text.contains("port = 5432"), "{text}");
}

#[tokio::test]
async fn a_server_without_the_wire_is_told_to_switch_it_on() {
    let private = Server::start_private_with(&Options { pgsql: false, ..Options::default() });
    let port = private.server().port;
    let (error, text) = why_not(|config| config.storage.immudb.port = port).await;
    assert!(matches!(error, Unavailable::Refused { .. }), "{text}");
    assert!(text.contains(&format!(":{port}")) && text.contains("--pgsql-server"), "{text}");
}

#[tokio::test]
async fn a_host_that_is_not_there_is_named() {
    let (error, text) =
        why_not(|config| config.storage.immudb.host = "no-such-host.invalid".into()).await;
    assert!(matches!(error, Unavailable::Refused { .. } | Unavailable::Timeout { .. }), "{text}");
    assert!(text.contains("no-such-host.invalid") || text.contains("no answer"), "{text}");
}

#[tokio::test]
async fn a_wrong_password_and_a_wrong_user_are_told_as_such() {
    let login = async |username: Option<&str>, password: Option<&str>| {
        why_not(|config| {
            let immudb = &mut config.storage.immudb;
            // One that is there: immudb looks for the database first.
            immudb.database = "defaultdb".into();
            immudb.username = username.unwrap_or(&immudb.username).to_owned();
            immudb.password = password.unwrap_or(&immudb.password).to_owned();
        })
        .await
    };
    for password in [PASSWORD, ""] {
        let (error, text) = login(None, Some(password)).await;
        assert!(matches!(error, Unavailable::Password { .. }), "{text}");
        assert!(text.contains("IMMUDB_PASSWORD"), "{text}");
    }
    let (error, text) = login(Some("nobody"), None).await;
    assert!(matches!(error, Unavailable::Password { .. }) && text.contains("nobody"), "{text}");
}

#[tokio::test]
async fn a_missing_database_is_named_and_not_made_by_a_reader() {
    let log = temp_dir("unavailable");
    let config = reachable(&log);
    for _ in 0..2 {
        let error = EventStore::open_read_only(&config).await.unwrap_err();
        let Error::Unavailable(Unavailable::MissingDatabase { database }) = &error else {
            panic!("{error}")
        };
        assert_eq!(*database, config.storage.immudb.database);
        assert!(error.to_string().contains("open it once for writing"), "{error}");
    }
    EventStore::open(&config).await.unwrap();
    EventStore::open_read_only(&config).await.unwrap();
}

#[tokio::test]
async fn a_server_that_does_not_know_immudb_tx_is_too_old() {
    let words = "SERROR\0C42883\0Mfunction immudb_tx() does not exist\0\0".as_bytes();
    let old = Proxy::start(&server().host, server().port, move |context, message| {
        let answer = context.direction == Direction::ToClient;
        match message.kind {
            b'T' | b'D' if answer && context.statement.contains("immudb_tx") => {
                return Action::Instead(vec![]);
            }
            b'C' if answer && context.statement.contains("immudb_tx") => {
                *message = PgMessage { kind: b'E', body: words.to_vec() };
            }
            _ => {}
        }
        Action::Forward
    });
    let (error, text) = why_not(|config| {
        config.storage.immudb.host = "127.0.0.1".into();
        config.storage.immudb.port = old.port();
        // One that is there, or a reader would not come so far.
        config.storage.immudb.database = "defaultdb".into();
    })
    .await;
    assert!(matches!(error, Unavailable::OldServer), "{text}");
    assert!(text.contains("immudb 1.11"), "{text}");
}

#[tokio::test]
async fn a_server_without_tls_is_not_talked_to_in_clear_text() {
    for tls in [TlsMode::Require, TlsMode::VerifyCa, TlsMode::VerifyFull] {
        let (error, text) = why_not(|config| config.storage.immudb.tls = Some(tls)).await;
        assert!(matches!(error, Unavailable::Tls { .. }), "{tls:?}: {text}");
        assert!(text.contains("tls = \"disable\""), "{text}");
    }
}

#[tokio::test]
async fn whatever_else_answers_is_no_immudb() {
    let web: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
    for (bytes, closes) in [(web, true), (&[0; 64], false), (b"SSH-2.0-OpenSSH_9.9\r\n", true)] {
        let port = answering(bytes, closes);
        let (error, text) = why_not(|config| {
            config.storage.immudb.host = "127.0.0.1".into();
            config.storage.immudb.port = port;
        })
        .await;
        assert!(
            matches!(error, Unavailable::WrongPort { .. } | Unavailable::Connection { .. }),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for_for_ever() {
    let port = answering(b"", false);
    let (error, text) = why_not(|config| {
        config.storage.immudb.host = "127.0.0.1".into();
        config.storage.immudb.port = port;
        config.storage.immudb.timeout_seconds = 1;
    })
    .await;
    assert!(matches!(error, Unavailable::Timeout { seconds: 1, .. }), "{text}");
}

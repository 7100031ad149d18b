//! EPCIS 2.0 documents (JSON, JSON-LD), and what their events are in a ledger.
//!
//! An event is stored as it stands in its file, byte for byte: that is what
//! its sender wrote, and may have signed. Beside it goes what the document
//! says of it.

use counterfoil::{Cover, Event, MAX_BODY, MAX_ROOT};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// The largest document that is read, in bytes: it is held in memory whole.
pub(crate) const MAX_DOCUMENT: u64 = 64 << 20;

/// The most bytes of a document's id and @context: they go beside each of its events.
const MAX_BESIDE: usize = 64 << 10;

/// Where events go unless the caller says otherwise.
pub(crate) const DOMAIN: &str = "epcis";

/// Under these names an event's metadata have its document's id and @context.
const BESIDE: [&str; 2] = ["document", "context"];

/// An `EPCISDocument`, an `EPCISQueryDocument`, or an event alone.
#[derive(Deserialize)]
struct Document<'a> {
    #[serde(rename = "@context", borrow)]
    context: Option<&'a RawValue>,
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(rename = "epcisBody", borrow)]
    body: Option<Body<'a>>,
}

/// Lists stay text until their events are wanted: there may be millions.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    event_list: Option<&'a RawValue>,
    #[serde(borrow)]
    query_results: Option<QueryResults<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct QueryResults<'a> {
    #[serde(borrow)]
    results_body: ResultsBody<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResultsBody<'a> {
    #[serde(borrow)]
    event_list: &'a RawValue,
}

/// The events of a document in their order. One is made when it is asked for: in memory are the
/// document and no more than that.
pub(crate) struct Events {
    text: String,
    domain: String,
    edition: Option<String>,
    /// The document's id and @context, by their names.
    beside: Vec<(&'static str, String)>,
    /// Where the next event begins.
    next: Option<usize>,
}

impl Events {
    /// Those of a document, in streams of this domain and edition. Where one of them is none, none
    /// is given.
    pub(crate) fn of(text: String, domain: &str, edition: Option<&str>) -> Result<Self, String> {
        let whole: &RawValue = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let document: Document<'_> = serde_json::from_str(whole.get())
            .map_err(|error| format!("it is no EPCIS document: {error}"))?;
        let Document { context, id, kind, body } = document;
        let list = match body {
            // Such a one is refused below.
            _ if kind.is_some_and(|kind| kind.ends_with("Event")) => None,
            None => return Err("it is no EPCIS document: it has no epcisBody".into()),
            Some(Body { event_list: Some(_), query_results: Some(_) }) => {
                return Err("its epcisBody holds an eventList and queryResults: send each by \
                            itself"
                    .into());
            }
            Some(Body { event_list: Some(events), .. }) => Some(events),
            Some(Body { query_results: Some(results), .. }) => {
                Some(results.results_body.event_list)
            }
            Some(_) => return Err("its epcisBody holds no eventList".into()),
        };
        let (next, beside) = match list {
            Some(list) => (first(&text, list)?, beside(id, context)?),
            // Its id and @context, if it has any, are its own and not a document's.
            None => (Some(place(&text, whole.get())), Vec::new()),
        };
        let listed = list.is_some();
        let (domain, edition) = (domain.to_owned(), edition.map(str::to_owned));
        let events = Self { text, domain, edition, beside, next };
        let (mut at, mut number) = (events.next, 1_u64);
        while let Some(place) = at {
            let (raw, next) = events.raw(place)?;
            event(raw, &events.domain).map_err(|error| match listed {
                true => format!("event {number}: {error}"),
                false => error,
            })?;
            (at, number) = (next, number + 1);
        }
        Ok(events)
    }

    /// The event that begins there, and where the next one does.
    fn raw(&self, place: usize) -> Result<(&RawValue, Option<usize>), String> {
        let rest = self.text.get(place..).unwrap_or_default();
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let raw = values.next().ok_or("its eventList ends too early")?;
        let raw = raw.map_err(|error| error.to_string())?;
        let behind = rest.get(values.byte_offset()..).unwrap_or_default();
        let more = behind.trim_start().strip_prefix(',');
        Ok((raw, more.map(|more| self.text.len() - more.len())))
    }
}

impl Iterator for Events {
    type Item = Result<Event, String>;

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.next.take()?;
        let made = self.raw(place).and_then(|(raw, next)| Ok((event(raw, &self.domain)?, next)));
        Some(made.map(|(mut event, next)| {
            self.next = next;
            if let Some(edition) = &self.edition {
                event.cover = event.cover.in_edition(edition.as_str());
            }
            let beside = self.beside.iter();
            beside.fold(event, |event, (name, value)| event.with_metadata(*name, value.as_str()))
        }))
    }
}

/// Where a part of a text begins in it.
fn place(text: &str, part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}

/// Where the first event of a list begins, if there is one.
fn first(text: &str, list: &RawValue) -> Result<Option<usize>, String> {
    let inside = list.get().strip_prefix('[').ok_or("its eventList is no list")?.trim_start();
    Ok((!inside.starts_with(']')).then(|| place(text, inside)))
}

fn beside(
    id: Option<String>,
    context: Option<&RawValue>,
) -> Result<Vec<(&'static str, String)>, String> {
    let values = [id, context.map(|context| context.get().to_owned())];
    let beside: Vec<_> =
        BESIDE.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?))).collect();
    let size: usize = beside.iter().map(|(_, value)| value.len()).sum();
    match size > MAX_BESIDE {
        true => Err(format!(
            "its id and @context take {size} bytes, and they go beside each of its events: at most \
             {MAX_BESIDE} are taken; let the @context name a file of its own"
        )),
        false => Ok(beside),
    }
}

/// Whether two events are the same but for the documents in which they came.
pub(crate) fn same(one: &Event, other: &Event) -> bool {
    let alone = |event: &Event| {
        let mut event = event.clone();
        BESIDE.iter().for_each(|name| drop(event.metadata.remove(*name)));
        event
    };
    alone(one) == alone(other)
}

fn event(raw: &RawValue, domain: &str) -> Result<Event, String> {
    // It is refused in any case; read, it would take many times its size.
    if raw.get().len() > MAX_BODY {
        return Err(format!("it is longer than {MAX_BODY} bytes"));
    }
    // Of a field that stands there twice the last counts, as for most readers.
    let fields: Value = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
    if !fields["epcisBody"].is_null() {
        return Err("it is an event, and has an epcisBody as a document has".into());
    }
    let text = |name: &str| fields[name].as_str().filter(|text| !text.is_empty());
    let kind = text("type").ok_or("it has no type")?;
    let hash = || format!("sha256:{:x}", HexOf(&Sha256::digest(raw.get())));
    let root = match subject(&fields) {
        Some(subject) if subject.len() <= MAX_ROOT => subject.to_owned(),
        Some(long) => format!("sha256:{:x}", HexOf(&Sha256::digest(long))),
        None => hash(),
    };
    let id = match (text("eventID"), fields["errorDeclaration"]["declarationTime"].as_str()) {
        (Some(id), None) => id.to_owned(),
        // It has the id of the event that it takes back.
        (Some(id), Some(time)) => format!("{id}#{time}"),
        (None, _) => hash(),
    };
    let cover = Cover::new(domain, root);
    Ok(Event::new(&cover, kind, raw.get()).with_external_id(id))
}

/// What an event is about: the first that it names of these.
fn subject(event: &Value) -> Option<&str> {
    let class = |list: &str| event[list][0]["epcClass"].as_str();
    let first = |list: &str| event[list][0].as_str();
    let found = event["parentID"]
        .as_str()
        .or_else(|| first("epcList"))
        .or_else(|| class("quantityList"))
        .or_else(|| first("outputEPCList"))
        .or_else(|| class("outputQuantityList"))
        .or_else(|| first("inputEPCList"))
        .or_else(|| class("inputQuantityList"))
        .or_else(|| first("childEPCs"))
        .or_else(|| class("childQuantityList"))
        .or_else(|| event["readPoint"]["id"].as_str())
        .or_else(|| event["eventID"].as_str());
    found.filter(|subject| !subject.is_empty())
}

struct HexOf<'a>(&'a [u8]);

impl std::fmt::LowerHex for HexOf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(text: &str) -> Result<Vec<Event>, String> {
        Events::of(text.to_owned(), "d", None)?.collect()
    }

    #[test]
    fn events_are_stored_as_they_stand() {
        let raw = "{ \"type\":\"ObjectEvent\",\"epcList\" : [\"urn:a\"], \"n\": 1.50, \"n\": 2 }";
        let text = format!(
            "{{\"@context\": [1,  2], \"type\": \"EPCISDocument\", \"id\": \"urn:doc\",\
             \"epcisBody\": {{\"eventList\": [{raw},{{\"type\":\"TransactionEvent\",\"parentID\":\"p\",\
             \"epcList\":[\"e\"],\"eventID\":\"urn:id\"}}]}}}}"
        );
        let found = events(&text).unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].payload.inline(), Some(raw.as_bytes()));
        assert_eq!(found[0].cover, Cover::new("d", "urn:a"));
        assert_eq!(found[0].metadata["context"], "[1,  2]".into());
        assert_eq!(found[0].metadata["document"], "urn:doc".into());
        assert!(found[0].external_id.starts_with("sha256:") && found[0].external_id.len() == 71);
        assert_eq!((&*found[1].event_type, &*found[1].external_id), ("TransactionEvent", "urn:id"));
        assert_eq!(found[1].cover.root, "p".into());
        // The same bytes elsewhere are the same event.
        let alone = events(raw).unwrap();
        assert!(same(&alone[0], &found[0]) && alone[0] != found[0]);
        assert!(!same(&found[0], &found[1]));
    }

    #[test]
    fn the_first_thing_that_it_names_is_its_root() {
        for (fields, root) in [
            (r#""parentID":"a","epcList":["b"]"#, "a"),
            (r#""epcList":["b","c"],"quantityList":[{"epcClass":"d"}]"#, "b"),
            (r#""epcList":[],"quantityList":[{"epcClass":"d"}]"#, "d"),
            (r#""inputEPCList":["i"],"outputEPCList":["o"]"#, "o"),
            (r#""inputEPCList":["i"],"inputQuantityList":[{"epcClass":"d"}]"#, "i"),
            (r#""readPoint":{"id":"r"},"eventID":"e""#, "r"),
            (r#""eventID":"e""#, "e"),
        ] {
            let text = format!("{{\"type\":\"ObjectEvent\",{fields}}}");
            assert_eq!(events(&text).unwrap()[0].cover.root, root.into(), "{fields}");
        }
        let long = "x".repeat(MAX_ROOT + 1);
        let text = format!("{{\"type\":\"ObjectEvent\",\"parentID\":\"{long}\"}}");
        let root = events(&text).unwrap()[0].cover.root.to_string();
        assert!(root.starts_with("sha256:") && root.len() == 71, "{root}");
        assert!(events(r#"{"type":"ObjectEvent"}"#).unwrap()[0].cover.root.len() == 71);
    }

    #[test]
    fn an_event_and_what_takes_it_back_are_two() {
        let event = |more: &str| {
            let text = format!("{{\"type\":\"ObjectEvent\",\"eventID\":\"e\"{more}}}");
            events(&text).unwrap()[0].external_id.clone()
        };
        assert_eq!(event(""), "e");
        let declared = r#","errorDeclaration":{"declarationTime":"2026-01-01T00:00:00Z"}"#;
        assert_eq!(event(declared), "e#2026-01-01T00:00:00Z");
    }

    #[test]
    fn what_is_no_document_is_said_to_be_none() {
        for (text, why) in [
            ("", "EOF"),
            ("[]", "no EPCIS document"),
            ("{}", "no epcisBody"),
            (r#"{"type": "EPCISDocument"}"#, "no epcisBody"),
            (r#"{"epcisBody": {}}"#, "no eventList"),
            (r#"{"epcisBody": {"eventList": [{}]}}"#, "event 1: it has no type"),
            (r#"{"epcisBody": {"eventList": []}} x"#, "trailing"),
            (r#"{"epcisBody": {"eventList": {}}}"#, "no list"),
            (
                r#"{"epcisBody": {"eventList": [], "queryResults": {"resultsBody": {"eventList": []}}}}"#,
                "an eventList and queryResults",
            ),
            (r#"{"type": "ObjectEvent", "epcisBody": {"eventList": []}}"#, "has an epcisBody"),
            (
                r#"{"epcisBody": {"eventList": [{"type": "ObjectEvent", "epcisBody": {}}]}}"#,
                "event 1: it is an event, and has an epcisBody",
            ),
        ] {
            let error = events(text).unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn lists_are_read_one_by_one_to_their_end() {
        for list in ["[]", " [ ] "] {
            let text = format!("{{\"epcisBody\": {{\"eventList\": {list}}}}}");
            assert_eq!(events(&text), Ok(Vec::new()), "{list}");
        }
        let event = |n: usize| format!("{{\"type\":\"ObjectEvent\",\"eventID\":\"[{n}],\"}}");
        let list: Vec<String> = (0..5).map(event).collect();
        for (before, between) in [("", ","), (" \n", " ,\t\r\n ")] {
            let list = format!("[{before}{}{before}]", list.join(between));
            for body in [
                format!("{{\"eventList\":{list}}}"),
                format!("{{\"queryResults\":{{\"resultsBody\":{{\"eventList\":{list}}}}}}}"),
            ] {
                let found = events(&format!("{{\"epcisBody\": {body} }}\n")).unwrap();
                let found: Vec<&str> = found.iter().map(|event| &*event.external_id).collect();
                assert_eq!(found, ["[0],", "[1],", "[2],", "[3],", "[4],"]);
            }
        }
    }

    /// What a document says of all of its events is not in memory once for each.
    #[test]
    fn a_document_is_in_memory_once() {
        let document = |context: usize, events: usize| {
            format!(
                "{{\"id\":\"urn:doc\",\"@context\":\"{}\",\"epcisBody\":{{\"eventList\":[{}]}}}}",
                "c".repeat(context),
                vec!["{\"type\":\"ObjectEvent\"}"; events].join(",")
            )
        };
        let beside = MAX_BESIDE - "urn:doc".len() - 2;
        // 64 KiB beside each of so many would be 6 GiB.
        let mut many = Events::of(document(beside, 100_000), "d", None).unwrap();
        assert_eq!(many.next().unwrap().unwrap().metadata["context"].len(), beside + 2);
        let error = events(&document(beside + 1, 1)).unwrap_err();
        assert!(error.contains("65537 bytes") && error.contains("at most 65536"), "{error}");
        let long = format!("{{\"type\":\"ObjectEvent\",\"n\":[{}0]}}", "0,".repeat(MAX_BODY / 2));
        assert!(events(&long).unwrap_err().contains("longer than 1048576 bytes"));
    }
}

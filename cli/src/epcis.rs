//! EPCIS 2.0 documents (JSON, JSON-LD), and what their events are in a ledger.
//!
//! An event is stored as it stands in its file, byte for byte: that is what
//! its sender wrote, and may have signed. Beside it goes what the document
//! says of it.

use counterfoil::{Cover, Event, MAX_ROOT};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// The largest document that is read, in bytes: it is held in memory whole.
pub(crate) const MAX_DOCUMENT: u64 = 64 << 20;

/// Where events go unless the caller says otherwise.
pub(crate) const DOMAIN: &str = "epcis";

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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(borrow)]
    event_list: Option<Vec<&'a RawValue>>,
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
    event_list: Vec<&'a RawValue>,
}

/// The events of a document in their order, in streams of `domain`.
pub(crate) fn events(text: &str, domain: &str) -> Result<Vec<Event>, String> {
    let whole: &RawValue = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let document: Document<'_> = serde_json::from_str(whole.get())
        .map_err(|error| format!("it is no EPCIS document: {error}"))?;
    let Document { context, id, kind, body } = document;
    let list = match body {
        Some(Body { event_list: Some(events), .. }) => events,
        Some(Body { query_results: Some(results), .. }) => results.results_body.event_list,
        Some(_) => return Err("its epcisBody holds no eventList".into()),
        None if kind.is_some_and(|kind| kind.ends_with("Event")) => {
            // Its id, if it has one, is its own and not a document's.
            return Ok(vec![event(whole, domain)?]);
        }
        None => return Err("it is no EPCIS document: it has no epcisBody".into()),
    };
    let mut events = Vec::with_capacity(list.len());
    for (raw, number) in list.into_iter().zip(1..) {
        let mut event = event(raw, domain).map_err(|error| format!("event {number}: {error}"))?;
        for (name, value) in [("document", id.as_deref()), ("context", context.map(RawValue::get))]
        {
            if let Some(value) = value {
                event = event.with_metadata(name, value);
            }
        }
        events.push(event);
    }
    Ok(events)
}

fn event(raw: &RawValue, domain: &str) -> Result<Event, String> {
    // Of a field that stands there twice the last counts, as for most readers.
    let fields: Value = serde_json::from_str(raw.get()).map_err(|error| error.to_string())?;
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

    #[test]
    fn events_are_stored_as_they_stand() {
        let raw = "{ \"type\":\"ObjectEvent\",\"epcList\" : [\"urn:a\"], \"n\": 1.50, \"n\": 2 }";
        let text = format!(
            "{{\"@context\": [1,  2], \"type\": \"EPCISDocument\", \"id\": \"urn:doc\",\
             \"epcisBody\": {{\"eventList\": [{raw},{{\"type\":\"TransactionEvent\",\"parentID\":\"p\",\
             \"epcList\":[\"e\"],\"eventID\":\"urn:id\"}}]}}}}"
        );
        let found = events(&text, "d").unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].payload.inline(), Some(raw.as_bytes()));
        assert_eq!(found[0].cover, Cover::new("d", "urn:a"));
        assert_eq!(found[0].metadata["context"], "[1,  2]".into());
        assert_eq!(found[0].metadata["document"], "urn:doc".into());
        assert!(found[0].external_id.starts_with("sha256:") && found[0].external_id.len() == 71);
        assert_eq!((&*found[1].event_type, &*found[1].external_id), ("TransactionEvent", "urn:id"));
        assert_eq!(found[1].cover.root, "p".into());
        // The same bytes elsewhere are the same event.
        let alone = events(raw, "d").unwrap();
        assert_eq!(alone[0].external_id, found[0].external_id);
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
            assert_eq!(events(&text, "d").unwrap()[0].cover.root, root.into(), "{fields}");
        }
        let long = "x".repeat(MAX_ROOT + 1);
        let text = format!("{{\"type\":\"ObjectEvent\",\"parentID\":\"{long}\"}}");
        let root = events(&text, "d").unwrap()[0].cover.root.to_string();
        assert!(root.starts_with("sha256:") && root.len() == 71, "{root}");
        assert!(events(r#"{"type":"ObjectEvent"}"#, "d").unwrap()[0].cover.root.len() == 71);
    }

    #[test]
    fn an_event_and_what_takes_it_back_are_two() {
        let event = |more: &str| {
            let text = format!("{{\"type\":\"ObjectEvent\",\"eventID\":\"e\"{more}}}");
            events(&text, "d").unwrap()[0].external_id.clone()
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
        ] {
            let error = events(text, "d").unwrap_err();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}

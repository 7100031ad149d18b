//! EPCIS 2.0 documents, and what their events are in an event store.
//!
//! An event is stored as it stands in its file, byte for byte. Only what
//! names its stream is looked at:
//!
//! | in the store   | in the document                                                    |
//! |----------------|--------------------------------------------------------------------|
//! | root           | what the event is about: parent, else first EPC, class, or place   |
//! | domain         | what kind of thing that is: item, lot, pallet, asset, place, party |
//! | event type     | type and business step                                             |
//! | correlation id | the shipment (dispatch advice), else the document                  |
//! | external id    | SHA-256 of the file and the place in it: a second run adds nothing |
//! | metadata       | the document's id and its JSON-LD context                          |
//!
//! The events of one document about one thing become one transaction.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use counterfoil::{Cover, Event, MAX_ROOT};
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// A document, as appends to streams.
pub(crate) struct Document {
    /// The file's name.
    pub(crate) name: String,
    pub(crate) appends: Vec<Append>,
}

/// Events that one document adds to one stream.
pub(crate) struct Append {
    pub(crate) cover: Cover,
    pub(crate) events: Vec<Event>,
}

impl Document {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let appends = appends(&bytes).with_context(|| path.display().to_string())?;
        Ok(Self { name, appends })
    }
}

/// EPCISDocument, EPCISQueryDocument or a bare event.
#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(rename = "@context", borrow)]
    context: Option<&'a RawValue>,
    id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    sender: Option<String>,
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

/// The fields of an event that say what it is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEvent {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "eventID")]
    event_id: Option<String>,
    biz_step: Option<String>,
    #[serde(rename = "parentID")]
    parent_id: Option<String>,
    #[serde(default)]
    epc_list: Vec<String>,
    #[serde(default)]
    quantity_list: Vec<Quantity>,
    #[serde(rename = "outputEPCList", default)]
    output_epc_list: Vec<String>,
    #[serde(default)]
    output_quantity_list: Vec<Quantity>,
    #[serde(rename = "childEPCs", default)]
    child_epcs: Vec<String>,
    #[serde(default)]
    child_quantity_list: Vec<Quantity>,
    read_point: Option<Place>,
    #[serde(default)]
    biz_transaction_list: Vec<BizTransaction>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Quantity {
    epc_class: String,
}

#[derive(Deserialize)]
struct Place {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BizTransaction {
    #[serde(rename = "type")]
    kind: Option<String>,
    biz_transaction: String,
}

fn appends(bytes: &[u8]) -> Result<Vec<Append>> {
    let text = std::str::from_utf8(bytes).context("not a JSON file: it is not UTF-8 text")?;
    let text = text.trim_start_matches('\u{feff}').trim();
    let raw: Raw<'_> = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => anyhow::anyhow!("not an EPCIS document: {error}"),
        _ => anyhow::anyhow!("not a JSON file: {error}"),
    })?;
    let whole: &RawValue = serde_json::from_str(text)?;
    let events = match (raw.body, &raw.kind) {
        (Some(Body { event_list: Some(events), .. }), _) => events,
        (Some(Body { query_results: Some(results), .. }), _) => results.results_body.event_list,
        (Some(_), _) => {
            bail!("not an EPCIS document: epcisBody holds neither eventList nor queryResults")
        }
        (None, Some(kind)) if short(kind).ends_with("Event") => vec![whole],
        (None, _) => bail!("not an EPCIS document: it has no epcisBody and is not an event"),
    };
    ensure!(!events.is_empty(), "the document holds no events");

    let parsed = events
        .iter()
        .zip(1..)
        .map(|(event, n)| RawEvent::parse(event).with_context(|| format!("event {n}")))
        .collect::<Result<Vec<_>>>()?;
    let digest = hex::encode(Sha256::digest(bytes));
    let document = raw.id.unwrap_or_else(|| format!("sha256:{digest}"));
    let shipment = parsed.iter().find_map(RawEvent::shipment).unwrap_or(&document);

    let mut appends: Vec<Append> = Vec::new();
    let mut add = |cover: Cover, event: Event| {
        let mut event =
            event.with_metadata("document", document.as_str()).with_correlation_id(shipment);
        if let Some(context) = raw.context {
            event = event.with_metadata("context", context.get());
        }
        match appends.iter_mut().find(|append| append.cover == cover) {
            Some(append) => append.events.push(event),
            None => appends.push(Append { cover, events: vec![event] }),
        }
    };
    // Whoever sent the document said so: the first event of its own stream.
    if let Some(sender) = &raw.sender {
        let payload = serde_json::json!({ "sha256": digest, "events": events.len() });
        let cover = cover("party", sender);
        let event = Event::new(&cover, "EPCISDocument", payload.to_string());
        add(cover, event);
    }
    for (raw, event) in events.iter().zip(&parsed) {
        let cover = event.cover(raw);
        let event = Event::new(&cover, event.event_type(), raw.get());
        add(cover, event);
    }
    for (append, n) in appends.iter_mut().zip(0..) {
        for event in &mut append.events {
            event.external_id = format!("{digest}#{n}");
        }
    }
    Ok(appends)
}

impl RawEvent {
    /// Of a field that stands there twice the last counts, as JSON readers
    /// have it: such documents are about.
    fn parse(event: &RawValue) -> serde_json::Result<Self> {
        serde_json::from_value(serde_json::from_str(event.get())?)
    }

    /// The shipment, by its dispatch advice or else its order.
    fn shipment(&self) -> Option<&str> {
        let of_kind = |wanted| {
            let mut list = self.biz_transaction_list.iter();
            list.find(|biz| biz.kind.as_deref().is_some_and(|kind| short(kind) == wanted))
        };
        let found = of_kind("desadv").or_else(|| of_kind("po"))?;
        Some(&found.biz_transaction)
    }

    fn event_type(&self) -> String {
        match &self.biz_step {
            Some(step) => format!("{} {}", short(&self.kind), short(step)),
            None => short(&self.kind).to_owned(),
        }
    }

    /// The stream: of what the event is about.
    fn cover(&self, raw: &RawValue) -> Cover {
        let class = |quantity: &Quantity| quantity.epc_class.clone();
        let subject = (self.parent_id.clone())
            .or_else(|| self.epc_list.first().cloned())
            .or_else(|| self.quantity_list.first().map(class))
            .or_else(|| self.output_epc_list.first().cloned())
            .or_else(|| self.output_quantity_list.first().map(class))
            .or_else(|| self.child_epcs.first().cloned())
            .or_else(|| self.child_quantity_list.first().map(class))
            .or_else(|| self.read_point.as_ref().map(|place| place.id.clone()))
            .or_else(|| self.event_id.clone())
            .unwrap_or_else(|| format!("sha256:{}", hex::encode(Sha256::digest(raw.get()))));
        cover(domain(&subject).unwrap_or(short(&self.kind)), &subject)
    }
}

fn cover(domain: &str, subject: &str) -> Cover {
    match subject.len() {
        1..=MAX_ROOT => Cover::new(domain, subject),
        _ => Cover::new(domain, format!("sha256:{}", hex::encode(Sha256::digest(subject)))),
    }
}

/// What kind of thing a GS1 key names, as URN or as Digital Link.
fn domain(id: &str) -> Option<&'static str> {
    if let Some(("id" | "idpat" | "class", rest)) =
        id.strip_prefix("urn:epc:").and_then(|rest| rest.split_once(':'))
    {
        return match rest.split(':').next()? {
            "sgtin" | "itip" | "cpi" => Some("item"),
            "lgtin" => Some("lot"),
            "sscc" => Some("pallet"),
            "grai" | "giai" => Some("asset"),
            "sgln" => Some("place"),
            "pgln" => Some("party"),
            _ => None,
        };
    }
    if id.starts_with("geo:") {
        return Some("place");
    }
    let keys = [
        ("/21/", "item"),
        ("/10/", "lot"),
        ("/01/", "product"),
        ("/00/", "pallet"),
        ("/8003/", "asset"),
        ("/8004/", "asset"),
        ("/414/", "place"),
        ("/417/", "party"),
    ];
    let link = id.starts_with("https://") || id.starts_with("http://");
    keys.iter().find(|(key, _)| link && id.contains(key)).map(|(_, domain)| *domain)
}

/// `shipping` of `https://ref.gs1.org/cbv/BizStep-shipping`.
fn short(name: &str) -> &str {
    let name = name.rsplit(['/', ':', '#']).next().unwrap_or(name);
    ["BizStep-", "BTT-"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name)
}

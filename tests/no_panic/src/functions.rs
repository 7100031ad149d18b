//! Every public function of the verifier, by name: `type__function`, or `function` alone.

use counterfoil_core::checkpoint::{Checkpoint, KeyId, KeyName, Note, NoteSignature, TlogProof};
use counterfoil_core::receipt::{
    Authorship, EventBody, Flaw, JudgedEvent, Judgement, Metadata, Missing, NextPin, Payload,
    PlacedEvent, PlacedTx, Policy, Receipt, ReceiptCheckpoint, ReceiptEvent, ReceiptParts, Verdict,
};
use counterfoil_core::{
    Alh, CatalogEntry, CatalogError, CatalogKey, ChainLink, ColumnType, EntryDigest, EntryMetadata,
    Extension, FirstContact, Frontier, Header, HeaderError, HeaderVersion, IndexColumns,
    IndexEntryKey, InnerHash, KeyBeginning, KvEntry, LeafHash, LeafIndex, ProofError, ProofPolicy,
    Root, Table, TreeSize, TrustedState, TxEntry, TxId, TxMetadata, Value, ValueHash,
    VerifiedEntry, VerifiedKv, VerifiedTable, VerifiedTx,
};

functions! {
    CatalogEntry__parse = CatalogEntry::parse;
    CatalogEntry__key = CatalogEntry::key;
    CatalogEntry__encode_value = CatalogEntry::encode_value;
    CatalogEntry__digest = CatalogEntry::digest;
    CatalogKey__parse = CatalogKey::parse;
    CatalogKey__encode = CatalogKey::encode;
    IndexColumns__iter = index_columns;
    Table__create_entries = create_entries;
    Table__create_digests = create_digests;
    index_digest = counterfoil_core::index_digest;
    IndexEntryKey__parse = IndexEntryKey::parse;

    Checkpoint__new = Checkpoint::new;
    Checkpoint__parse = Checkpoint::parse;
    Checkpoint__origin = Checkpoint::origin;
    Checkpoint__size = Checkpoint::size;
    Checkpoint__root = Checkpoint::root;
    Checkpoint__extensions = Checkpoint::extensions;
    KeyName__new = KeyName::new;
    KeyName__as_str = KeyName::as_str;
    KeyName__names_other_ledger = KeyName::names_other_ledger;
    KeyId__new = KeyId::new;
    KeyId__to_bytes = KeyId::to_bytes;
    Note__parse = Note::parse;
    Note__text = Note::text;
    Note__signatures = note_signatures;
    NoteSignature__plain = NoteSignature::plain;
    NoteSignature__cosignature = NoteSignature::cosignature;
    NoteSignature__parse = NoteSignature::parse;
    NoteSignature__name = NoteSignature::name;
    NoteSignature__id = NoteSignature::id;
    NoteSignature__as_plain = NoteSignature::as_plain;
    NoteSignature__as_cosignature = NoteSignature::as_cosignature;
    TlogProof__parse = TlogProof::parse;
    TlogProof__index = TlogProof::index;
    TlogProof__tx = TlogProof::tx;
    TlogProof__extra = TlogProof::extra;
    TlogProof__note = TlogProof::note;
    TlogProof__checkpoint = TlogProof::checkpoint;
    TlogProof__path = TlogProof::path;

    ChainLink__source = ChainLink::source;
    ChainLink__target = ChainLink::target;
    verify_linear = counterfoil_core::verify_linear;
    verify_linear_advance = counterfoil_core::verify_linear_advance;
    ProofPolicy__legacy_untied = ProofPolicy::legacy_untied;
    ProofPolicy__with_max_chain = ProofPolicy::with_max_chain;

    Alh__new = Alh::new;
    Alh__as_bytes = Alh::as_bytes;
    Alh__to_bytes = Alh::to_bytes;
    Alh__leaf_hash = Alh::leaf_hash;
    Root__new = Root::new;
    EntryDigest__leaf_hash = EntryDigest::leaf_hash;
    LeafHash__new = LeafHash::new;
    InnerHash__new = InnerHash::new;
    ValueHash__of = ValueHash::of;
    node_hash = counterfoil_core::node_hash;
    entry_digest = counterfoil_core::entry_digest;
    KeyBeginning__new = KeyBeginning::new;
    KeyBeginning__entry_digest = KeyBeginning::entry_digest;
    EntryMetadata__parse = EntryMetadata::parse;
    EntryMetadata__encode = EntryMetadata::encode;

    Frontier__new = Frontier::new;
    Frontier__from_peaks = Frontier::from_peaks;
    Frontier__push = Frontier::push;
    Frontier__size = Frontier::size;
    Frontier__root = Frontier::root;
    Frontier__peaks = Frontier::peaks;

    TxMetadata__parse = TxMetadata::parse;
    TxMetadata__encode = TxMetadata::encode;
    HeaderVersion__number = HeaderVersion::number;
    HeaderVersion__try_from = header_version;
    Header__inner_hash = Header::inner_hash;
    Header__alh = Header::alh;
    Header__check = Header::check;

    KvEntry__parse = KvEntry::parse;
    KvEntry__is_encoded_as = KvEntry::is_encoded_as;
    KvEntry__digest = KvEntry::digest;
    VerifiedKv__entry = VerifiedKv::entry;
    VerifiedKv__kv = VerifiedKv::kv;
    VerifiedKv__metadata = VerifiedKv::metadata;
    VerifiedKv__points_at = VerifiedKv::points_at;

    TxId__new = TxId::new;
    TxId__get = TxId::get;
    TxId__leaf_index = TxId::leaf_index;
    TxId__next = TxId::next;
    TxId__tree_size = TxId::tree_size;
    LeafIndex__new = LeafIndex::new;
    TreeSize__new = TreeSize::new;

    ColumnType__name = ColumnType::name;
    ColumnType__from_name = ColumnType::from_name;
    ColumnType__fixed_len = ColumnType::fixed_len;
    Table__new = Table::new;
    Table__id = Table::id;
    Table__name = Table::name;
    Table__columns = Table::columns;
    Table__primary_key = Table::primary_key;
    Table__with_id = Table::with_id;
    Table__key_len = Table::key_len;
    Table__encode_key = Table::encode_key;
    Table__check_key = Table::check_key;
    Table__value_len = Table::value_len;
    Table__encode_value = Table::encode_value;
    Table__entry_digest = Table::entry_digest;
    Table__decode_value = Table::decode_value;
    Value__ty = Value::ty;

    TrustedState__verify_tx = TrustedState::verify_tx;
    TrustedState__verify_tx_dual = TrustedState::verify_tx_dual;
    TrustedState__verify_tx_dual_v2 = TrustedState::verify_tx_dual_v2;
    TrustedState__verify_extension = TrustedState::verify_extension;
    TrustedState__verify_extension_v2 = TrustedState::verify_extension_v2;
    TrustedState__first_contact = TrustedState::first_contact;
    Extension__from = Extension::from;
    Extension__to = Extension::to;
    Extension__policy = Extension::policy;
    FirstContact__state = FirstContact::state;
    VerifiedTx__id = VerifiedTx::id;
    VerifiedTx__alh = VerifiedTx::alh;
    VerifiedTx__ts = VerifiedTx::ts;
    VerifiedTx__version = VerifiedTx::version;
    VerifiedTx__nentries = VerifiedTx::nentries;
    VerifiedTx__eh = VerifiedTx::eh;
    VerifiedTx__state = VerifiedTx::state;
    VerifiedTx__verify_entry = VerifiedTx::verify_entry;
    VerifiedTx__verify_row = VerifiedTx::verify_row;
    VerifiedTx__verify_kv = VerifiedTx::verify_kv;
    VerifiedTx__verify_catalog = VerifiedTx::verify_catalog;
    VerifiedTx__verify_all_entries = verify_all_entries;
    VerifiedTx__verify_table = verify_table;
    VerifiedTable__tx = VerifiedTable::tx;
    VerifiedTable__table = VerifiedTable::table;
    VerifiedEntry__tx = VerifiedEntry::tx;
    VerifiedEntry__index = VerifiedEntry::index;
    VerifiedEntry__digest = VerifiedEntry::digest;

    verify_inclusion = counterfoil_core::verify_inclusion;
    verify_last_inclusion = counterfoil_core::verify_last_inclusion;
    verify_consistency = counterfoil_core::verify_consistency;
    verify_consistency_immudb = counterfoil_core::verify_consistency_immudb;
    inclusion_path_len = counterfoil_core::inclusion_path_len;
    consistency_path_len = counterfoil_core::consistency_path_len;

    Payload__is_commitment_to = Payload::is_commitment_to;
    Metadata__iter = metadata_iter;
    EventBody__parse = EventBody::parse;
    EventBody__ext = EventBody::ext;
    EventBody__author_message = EventBody::author_message;
    events_table = counterfoil_core::receipt::events_table;
    verify_pinned = counterfoil_core::receipt::verify_pinned;
    Receipt__parse = Receipt::parse;
    Receipt__ledger = Receipt::ledger;
    Receipt__table_id = Receipt::table_id;
    Receipt__genesis = Receipt::genesis;
    Receipt__state = Receipt::state;
    Receipt__earlier = Receipt::earlier;
    Receipt__later = Receipt::later;
    Receipt__attached = Receipt::attached;
    Receipt__checkpoint = Receipt::checkpoint;
    Receipt__state_signature = Receipt::state_signature;
    ReceiptCheckpoint__from_note = ReceiptCheckpoint::from_note;
    ReceiptCheckpoint__checkpoint = ReceiptCheckpoint::checkpoint;
    ReceiptCheckpoint__signatures = receipt_signatures;
    Receipt__event_count = Receipt::event_count;
    Receipt__events = receipt_events;
    Receipt__state_header = Receipt::state_header;
    Receipt__transactions = receipt_transactions;
    PlacedTx__events = placed_events;
    PlacedEvent__digest = PlacedEvent::digest;
    Receipt__verify = Receipt::verify;
    Receipt__encode_with = Receipt::encode_with;
    ReceiptParts__encoded_len = ReceiptParts::encoded_len;
    ReceiptParts__encode = ReceiptParts::encode;
    Policy__new = Policy::new;
    Policy__with_table = Policy::with_table;
    Policy__with_pins = Policy::with_pins;
    Judgement__verdict = Judgement::verdict;
    Judgement__events = judged_events;
    Judgement__next_pin = Judgement::next_pin;
    NextPin__state = NextPin::state;
    NextPin__by = NextPin::by;
    JudgedEvent__event = JudgedEvent::event;
    JudgedEvent__verdict = JudgedEvent::verdict;
    JudgedEvent__with_payload = JudgedEvent::with_payload;
    JudgedEvent__authorship = JudgedEvent::authorship;
    Authorship__signed_by = Authorship::signed_by;
    Authorship__code = Authorship::code;
    Authorship__word = Authorship::word;
    Verdict__and = Verdict::and;
    Verdict__trusted = Verdict::trusted;
    Verdict__code = Verdict::code;
    Verdict__word = Verdict::word;
    Missing__word = Missing::word;
    Flaw__word = Flaw::word;
    Flaw__tx = Flaw::tx;
    Flaw__entry = Flaw::entry;
}

// Functions that take or give something generic.

fn index_columns(columns: &IndexColumns<'_>) -> u32 {
    columns.iter().fold(0, u32::wrapping_add)
}

fn create_entries(table: &Table<'_>, out: fn(CatalogEntry<'_>)) {
    table.create_entries().for_each(out);
}

fn create_digests(table: &Table<'_>, out: fn(Result<EntryDigest, CatalogError>)) {
    table.create_digests().for_each(out);
}

fn header_version(number: u16) -> Result<HeaderVersion, HeaderError> {
    HeaderVersion::try_from(number)
}

fn verify_all_entries(tx: &VerifiedTx, digests: &[EntryDigest]) -> Result<(), ProofError> {
    tx.verify_all_entries(tx.version(), digests.iter().copied())
}

fn verify_table<'a>(
    tx: &VerifiedTx,
    table: &Table<'a>,
    entries: &[TxEntry<'_>],
) -> Result<VerifiedTable<'a>, ProofError> {
    tx.verify_table(table, entries.iter().copied())
}

fn metadata_iter(metadata: &Metadata<'_>, out: fn(&str, &[u8])) {
    metadata.iter().for_each(|(name, value)| out(name, value));
}

fn note_signatures(note: &Note<'_>, out: fn(NoteSignature<'_>)) {
    note.signatures().for_each(out);
}

fn receipt_signatures(checkpoint: &ReceiptCheckpoint<'_>, out: fn(NoteSignature<'_>)) {
    checkpoint.signatures().for_each(out);
}

fn receipt_events(receipt: &Receipt<'_>, out: fn(ReceiptEvent<'_>)) {
    receipt.events().for_each(out);
}

fn receipt_transactions(receipt: &Receipt<'_>, out: fn(PlacedTx<'_>)) {
    receipt.transactions().for_each(out);
}

fn placed_events(tx: &PlacedTx<'_>, out: fn(PlacedEvent<'_>)) {
    tx.events().for_each(out);
}

fn judged_events(judgement: &Judgement<'_, '_>, out: fn(JudgedEvent<'_, '_>)) {
    judgement.events().for_each(out);
}

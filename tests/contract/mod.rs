//! What every backend owes its users: one set of tests, run unchanged against
//! each of them ([`contract!`]).

pub(crate) mod appending;
pub(crate) mod authors;
pub(crate) mod concurrency;
pub(crate) mod correlation;
pub(crate) mod editions;
pub(crate) mod follow;
pub(crate) mod forgery;
pub(crate) mod hostile;
pub(crate) mod idempotence;
pub(crate) mod json;
pub(crate) mod limits;
pub(crate) mod payloads;
pub(crate) mod pipelines;
pub(crate) mod reading;
pub(crate) mod seed;
pub(crate) mod streams;
mod texts;

use counterfoil::{Cover, Event, EventStore, StoreOptions, StreamRead};

/// A backend, with a new ledger of its own for each value.
pub(crate) trait Harness {
    /// A place for a ledger that does not exist yet.
    fn new() -> Self;

    /// Opens the ledger for writing; the first time creates it.
    async fn open_with(&self, options: StoreOptions) -> EventStore;

    /// As [`open_with`](Self::open_with), with the system's clock and chance.
    async fn open(&self) -> EventStore {
        self.open_with(StoreOptions::new()).await
    }
}

/// Makes a test of each function that is named, for one harness.
macro_rules! tests_of {
    ($harness:ty: $($theme:ident { $($test:ident)* })*) => {
        $(mod $theme {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                let harness = <$harness as crate::contract::Harness>::new();
                crate::contract::$theme::$test(harness).await;
            })*
        })*
    };
}
pub(crate) use tests_of;

/// The whole contract, for one harness.
macro_rules! contract {
    ($harness:ty) => {
        crate::contract::tests_of! { $harness:
            seed {
                an_added_event_comes_back_verified_and_its_proof_holds
                an_altered_event_does_not_verify_and_the_verdict_names_the_field
                a_proof_of_another_event_does_not_verify
                a_proof_from_another_ledger_does_not_verify
                an_event_is_found_at_its_transaction_and_at_every_later_one
                what_is_not_there_is_told_apart_from_what_was_written_later
                every_transaction_is_proved_under_the_state_and_under_no_other
                an_untouched_ledger_is_complete_and_has_no_findings
                a_commitment_is_stored_in_place_of_the_payload
            }
            forgery {
                no_leaf_of_an_event_proof_can_be_altered
                no_leaf_of_a_transaction_proof_can_be_altered
            }
            appending {
                each_expected_version_holds_exactly_where_it_should
                events_of_one_append_share_one_transaction
                an_append_that_is_refused_writes_nothing
                a_thousand_events_fit_into_one_append_and_one_more_does_not
                the_events_of_an_append_must_be_of_its_stream_and_share_one_external_id
            }
            idempotence {
                a_repeated_append_gives_the_first_result_and_writes_nothing
                a_repeated_append_ignores_the_expected_version
                an_external_id_with_other_events_is_a_conflict
                an_external_id_is_free_in_another_domain_and_edition
                without_an_external_id_the_same_event_is_another_one
            }
            reading {
                a_stream_is_read_both_ways_from_anywhere_to_any_limit
                a_stream_without_events_is_empty_and_complete
                all_streams_are_read_in_ledger_order_page_by_page
                reading_until_a_time_takes_whole_seconds
                domains_and_roots_are_listed_once_and_sorted
                ten_thousand_events_in_one_stream_come_back_in_order
            }
            follow {
                from_every_position_comes_exactly_the_rest
                beside_many_writers_each_follower_sees_all_once
                a_choice_of_streams_is_followed_past_all_others
                an_append_of_the_same_store_wakes_its_followers
                more_than_a_page_is_followed_without_a_seam
                what_was_decided_otherwise_is_told
                a_position_beyond_the_ledger_is_refused
            }
            correlation {
                what_carries_one_id_comes_from_all_streams_in_ledger_order
                an_id_that_nothing_carries_is_an_empty_and_complete_answer
                a_choice_of_streams_knows_the_main_edition_by_all_its_names
                thousands_of_events_share_one_id
            }
            streams {
                a_stream_says_where_it_is_and_how_far_that_is_known
                streams_are_listed_with_their_ends
                a_state_that_somebody_else_saw_is_held_against_the_ledger
            }
            editions {
                the_main_edition_has_three_names
                another_edition_is_another_timeline
            }
            hostile {
                every_field_takes_every_hostile_text
                every_field_takes_every_keyword
                roots_payloads_and_metadata_take_any_bytes
                ten_thousand_random_strings_arrive_byte_for_byte
            }
            limits {
                keys_end_where_the_table_does
                a_body_may_fill_its_mebibyte_and_not_a_byte_more
                an_append_takes_seven_mebibytes_and_no_more
                absurd_numbers_are_answered_not_believed
            }
            concurrency {
                appends_anywhere_from_many_tasks_all_land_densely
                of_many_appends_that_expect_one_version_exactly_one_wins
                of_many_appends_with_one_external_id_exactly_one_writes
                writers_at_the_same_time_share_transactions
                appends_stand_in_the_order_in_which_they_were_begun
                an_append_that_is_refused_does_not_hinder_its_neighbours
                a_reader_beside_a_writer_sees_a_growing_prefix
                clones_are_one_store
                a_dropped_append_lands_once_or_never_and_the_store_goes_on
            }
            pipelines {
                a_pipeline_shares_transactions_and_keeps_its_order
                behind_an_append_that_fails_none_is_made
                what_never_was_an_append_ends_a_pipeline_too
                pipelines_do_not_hinder_one_another
                a_pipeline_that_is_repeated_writes_nothing_twice
                what_is_behind_waits_for_a_version_to_be_known
            }
            payloads {
                a_committed_content_is_revealed_and_not_in_the_ledger
                an_erased_content_is_told_from_one_that_is_lost
                an_interrupted_erasure_counts_and_can_be_finished
                whoever_holds_content_and_salt_can_prove_it_erased_or_not
                a_payload_is_kept_before_its_commitment_is_written
                a_repeated_commitment_gives_the_first_result_back
                what_cannot_be_erased_is_refused
            }
            authors {
                whatever_is_written_is_signed
                what_nobody_signed_is_unsigned
                a_receipt_proves_its_author
                what_is_not_signed_is_not_written_and_nobody_else_pays
                a_key_that_never_signs_writes_nothing
                what_is_repeated_is_not_signed_again
                a_slow_key_is_asked_by_many_and_stops_no_reader
            }
            json {
                what_a_caller_keeps_survives_json
                json_with_a_field_too_many_is_refused
            }
        }
    };
}
pub(crate) use contract;

/// The stream that most tests write to.
pub(crate) fn shipment() -> Cover {
    Cover::new("shipment", "SSCC-00123456")
}

/// Event `n` of some stream, with nothing but a payload.
pub(crate) fn numbered(cover: &Cover, n: u64) -> Event {
    Event::new(cover, "Counted", format!(r#"{{"n": {n}}}"#))
}

/// An event in which every field is used.
pub(crate) fn full(cover: &Cover) -> Event {
    Event::new(cover, "Departed", r#"{"from": "Basel"}"#)
        .with_metadata("temperature", "4.5 °C")
        .with_metadata("signature", [0, 159, 146, 150])
        .with_correlation_id("order 77")
        .with_causation_id("dispatch 3")
        .with_external_id("scan 9812")
}

/// What the application said, of every event read.
pub(crate) fn said(read: &StreamRead) -> Vec<Event> {
    read.events.iter().map(|recorded| recorded.event.clone()).collect()
}

/// The sequences that were read.
pub(crate) fn sequences(read: &StreamRead) -> Vec<u64> {
    read.events.iter().map(|recorded| recorded.sequence).collect()
}

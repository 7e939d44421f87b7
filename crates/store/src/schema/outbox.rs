//! The outbox: events, and their deliveries.

tables! {
    /// The tables of the outbox.
    OUTBOX:

    events (id) {
        id -> Text,
        at -> InstantColumn,
        limit_id -> Text,
        metric -> Text,
        epoch -> BigInt,
        threshold -> Integer,
        scope_kind -> Text,
        scope_id -> Text,
        used -> BigInt,
        cap -> BigInt,
        window_start -> InstantColumn,
        window_end -> InstantColumn,
    }

    event_deliveries (event_id, endpoint) {
        event_id -> Text,
        endpoint -> Text,
        origin -> Text,
        attempts -> Integer,
        next_at -> Nullable<InstantColumn>,
        delivered_at -> Nullable<InstantColumn>,
        last_error -> Nullable<Text>,
    }
}

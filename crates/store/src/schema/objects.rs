//! What providers keep beyond one request.

tables! {
    /// The table of objects at providers.
    OBJECTS:

    provider_objects (kind, provider, id) {
        kind -> Text,
        provider -> Text,
        id -> Text,
        virtual_key_id -> Text,
        provider_key_id -> Text,
        request_id -> Text,
        endpoint -> Nullable<Text>,
        models -> Text,
        state -> Text,
        told -> Nullable<Text>,
        created_at -> InstantColumn,
        expires_at -> Nullable<InstantColumn>,
    }
}

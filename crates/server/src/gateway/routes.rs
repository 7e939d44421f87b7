//! The gateway's routes: path, documentation and metering class of each in one declaration. Any other path is refused: there is
//! no door without a meter.

mod answers;
mod anthropic;
mod azure;
mod gemini;
mod model_lists;
mod objects;
mod openai;

/// Every operation of the gateway.
pub(crate) fn routes(routes: &mut Routes<'_>) {
    routes.configure(openai::routes);
    routes.configure(model_lists::routes);
    routes.configure(azure::routes);
    routes.configure(anthropic::routes);
    routes.configure(gemini::routes);
    routes.configure(objects::routes);
}

/// Declares routes that pass requests on: what is asked for, how it is metered, where it is.
macro_rules! passing {
    ($($(#[$doc:meta])*
        $name:ident: $operation:ident as $class:ident at $path:literal $(also $alias:literal)*,
        $request:ty as $media:literal => [$($answer:ty as $answer_media:literal),+], $errors:ident;
    )+) => {
        $(
            $(#[$doc])*
            #[utoipa::path(
                post,
                path = $path,
                tag = "inference",
                security(("virtual_key" = [])),
                request_body(content = $request, content_type = $media),
                responses(
                    (
                        status = 200,
                        description = "The provider's answer, as it came.",
                        content($(($answer = $answer_media)),+),
                    ),
                    $errors,
                ),
            )]
            #[actix_web::routes]
            #[post($path)]
            $(#[post($alias)])*
            pub(super) async fn $name(
                arriving: crate::gateway::arriving::Arriving<crate::gateway::credential::$class>,
            ) -> Result<actix_web::HttpResponse, crate::error::ApiError> {
                arriving.serve(keyward_core::operation::Operation::$operation).await
            }
        )+

        /// The routes that pass requests on.
        fn passing(routes: &mut crate::routes::Routes<'_>) {
            $(routes.service($name);)+
        }
    };
}
use passing;

use crate::routes::Routes;

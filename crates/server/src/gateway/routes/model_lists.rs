//! The models that a virtual key may use, listed in each dialect. No upstream is involved.

use actix_web::http::header::HeaderMap;
use actix_web::{HttpRequest, get, routes, web};
use keyward_core::error_code::ErrorCode;
use keyward_core::model_list::{
    AnthropicModel, AnthropicModelList, AnyModel, AnyModelList, GeminiModel, GeminiModelList,
};
use keyward_core::operation::Dialect;
use serde::Deserialize;
use utoipa::IntoParams;

use super::answers::{AnthropicErrors, GatewayErrors, GeminiErrors};
use crate::clock;
use crate::error::{ApiError, ApiResult};
use crate::gateway::credential::{Free, Metered};
use crate::gateway::models::{self, Usable};
use crate::params::Query;
use crate::routes::Routes;
use crate::state::State;

pub(super) fn routes(routes: &mut Routes<'_>) {
    routes.service(model_list);
    routes.service(model_retrieve);
    routes.service(anthropic_model_list);
    routes.service(anthropic_model_retrieve);
    routes.service(gemini_model_list);
    routes.service(gemini_model_retrieve);
}

/// The page that Anthropic's clients ask for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct AnthropicPage {
    /// The model behind which the page begins.
    after_id: Option<String>,
    /// The model before which the page ends.
    before_id: Option<String>,
    /// How many models at most; 20 unless given.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// The page that Google's clients ask for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase")]
pub(super) struct GeminiPage {
    /// How many models at most; 50 unless given.
    #[param(minimum = 1, maximum = 1000)]
    page_size: Option<usize>,
    /// `nextPageToken` of the page before.
    page_token: Option<String>,
}

/// Lists the models that the virtual key may use. They are those of the price catalogue and those that provider keys name, as far
/// as the key's provider configs allow them and a provider key can serve them.
#[utoipa::path(
    get,
    path = "/v1/models",
    operation_id = "model_list",
    tag = "models",
    security(("virtual_key" = [])),
    params(AnthropicPage),
    responses((status = 200, description = "The models.", body = AnyModelList), GatewayErrors),
)]
#[routes]
#[get("/v1/models")]
#[get("/openai/v1/models")]
async fn model_list(
    caller: Metered<Free>,
    request: HttpRequest,
    page: Query<AnthropicPage>,
    state: web::Data<State>,
) -> ApiResult<AnyModelList> {
    Ok(web::Json(match dialect(request.headers()) {
        Dialect::Anthropic => AnyModelList::Anthropic(page_for_anthropic(&caller, &state, &page.0)?),
        Dialect::OpenAi | Dialect::Gemini => {
            AnyModelList::OpenAi(models::for_openai(&usable(&caller, &state, Dialect::OpenAi)?))
        }
    }))
}

/// Tells one model that the virtual key may use. No provider is asked. Others are not there: 404. With the header
/// `anthropic-version` the answer is in Anthropic's dialect.
#[utoipa::path(
    get,
    path = "/v1/models/{model}",
    operation_id = "model_retrieve",
    tag = "models",
    security(("virtual_key" = [])),
    params(("model" = String, Path, description = "`provider/model`, or a model alone.")),
    responses((status = 200, description = "The model.", body = AnyModel), GatewayErrors),
)]
#[routes]
#[get("/v1/models/{model:.+}")]
#[get("/openai/v1/models/{model:.+}")]
async fn model_retrieve(
    caller: Metered<Free>,
    request: HttpRequest,
    model: web::Path<String>,
    state: web::Data<State>,
) -> ApiResult<AnyModel> {
    Ok(web::Json(match dialect(request.headers()) {
        Dialect::Anthropic => AnyModel::Anthropic(one_for_anthropic(&caller, &state, &model)?),
        Dialect::OpenAi | Dialect::Gemini => {
            let known = usable(&caller, &state, Dialect::OpenAi)?;
            // A model alone is that of the first provider who has it.
            let alone = known.iter().filter(|known| known.is_called(&model)).map(Usable::for_openai).next();
            let known = known.iter().map(Usable::for_openai);
            AnyModel::OpenAi(named(known, &model, |known| &known.id).or_else(|error| alone.ok_or(error))?)
        }
    }))
}

/// Lists the models that the virtual key may use in Anthropic's dialect. No provider is asked. Pages go on with `after_id` or
/// `before_id`.
#[utoipa::path(
    operation_id = "anthropic_model_list",
    tag = "models",
    security(("virtual_key" = [])),
    params(AnthropicPage),
    responses((status = 200, description = "A page of models.", body = AnthropicModelList), AnthropicErrors),
)]
#[get("/anthropic/v1/models")]
async fn anthropic_model_list(
    caller: Metered<Free>,
    page: Query<AnthropicPage>,
    state: web::Data<State>,
) -> ApiResult<AnthropicModelList> {
    Ok(web::Json(page_for_anthropic(&caller, &state, &page.0)?))
}

/// Tells one model that the virtual key may use in Anthropic's dialect. No provider is asked. Others are not there: 404.
#[utoipa::path(
    get,
    path = "/anthropic/v1/models/{model}",
    operation_id = "anthropic_model_retrieve",
    tag = "models",
    security(("virtual_key" = [])),
    params(("model" = String, Path, description = "The model, or `provider/model`.")),
    responses((status = 200, description = "The model.", body = AnthropicModel), AnthropicErrors),
)]
#[get("/anthropic/v1/models/{model:.+}")]
async fn anthropic_model_retrieve(
    caller: Metered<Free>,
    model: web::Path<String>,
    state: web::Data<State>,
) -> ApiResult<AnthropicModel> {
    Ok(web::Json(one_for_anthropic(&caller, &state, &model)?))
}

/// Lists the models that the virtual key may use in Gemini's dialect. No provider is asked. Pages go on with `pageToken`.
#[utoipa::path(
    get,
    path = "/genai/v1beta/models",
    operation_id = "gemini_model_list",
    tag = "models",
    security(("virtual_key" = [])),
    params(GeminiPage),
    responses((status = 200, description = "A page of models.", body = GeminiModelList), GeminiErrors),
)]
#[routes]
#[get("/genai/v1beta/models")]
#[get("/v1beta/models")]
#[get("/genai/v1/models")]
async fn gemini_model_list(
    caller: Metered<Free>,
    page: Query<GeminiPage>,
    state: web::Data<State>,
) -> ApiResult<GeminiModelList> {
    let limit = page.0.page_size.unwrap_or(50).clamp(1, 1_000);
    let usable = usable(&caller, &state, Dialect::Gemini)?;
    Ok(web::Json(models::for_gemini(&usable, page.0.page_token.as_deref(), limit)))
}

/// Tells one model that the virtual key may use in Gemini's dialect. No provider is asked. Others are not there: 404.
#[utoipa::path(
    get,
    path = "/genai/v1beta/models/{model}",
    operation_id = "gemini_model_retrieve",
    tag = "models",
    security(("virtual_key" = [])),
    params(("model" = String, Path, description = "The model, or `provider/model`.")),
    responses((status = 200, description = "The model.", body = GeminiModel), GeminiErrors),
)]
#[routes]
#[get("/genai/v1beta/models/{model:.+}")]
#[get("/v1beta/models/{model:.+}")]
#[get("/genai/v1/models/{model:.+}")]
async fn gemini_model_retrieve(
    caller: Metered<Free>,
    model: web::Path<String>,
    state: web::Data<State>,
) -> ApiResult<GeminiModel> {
    let known = usable(&caller, &state, Dialect::Gemini)?;
    let known = known.iter().map(Usable::for_gemini);
    Ok(web::Json(named(known, &format!("models/{model}"), |known| &known.name)?))
}

/// One path is of two dialects; a header that Anthropic's clients always send tells which is meant.
fn dialect(headers: &HeaderMap) -> Dialect {
    if headers.contains_key("anthropic-version") { Dialect::Anthropic } else { Dialect::OpenAi }
}

fn usable(caller: &Metered<Free>, state: &State, dialect: Dialect) -> Result<Vec<Usable>, ApiError> {
    let principal = state.engine.identify(&caller.hash, clock::now())?;
    Ok(models::usable(state, &principal, dialect))
}

fn page_for_anthropic(
    caller: &Metered<Free>,
    state: &State,
    page: &AnthropicPage,
) -> Result<AnthropicModelList, ApiError> {
    let limit = page.limit.unwrap_or(20).clamp(1, 1_000);
    let usable = usable(caller, state, Dialect::Anthropic)?;
    Ok(models::for_anthropic(&usable, (page.after_id.as_deref(), page.before_id.as_deref()), limit))
}

fn one_for_anthropic(caller: &Metered<Free>, state: &State, model: &str) -> Result<AnthropicModel, ApiError> {
    let known = usable(caller, state, Dialect::Anthropic)?;
    let known = known.iter().map(Usable::for_anthropic);
    named(known, model, |known| &known.id)
}

fn named<T>(mut known: impl Iterator<Item = T>, name: &str, of: fn(&T) -> &String) -> Result<T, ApiError> {
    let found = known.find(|model| of(model) == name);
    found.ok_or_else(|| {
        let message = format!("There is no model '{name}' that this virtual key may use");
        ApiError::new(ErrorCode::NotFound, message).at("/model")
    })
}

// One round trip with clients by @hey-api/openapi-ts: a virtual key is made, lists its models at the gateway, and is deleted.
import { client as gateway } from "./hey/gateway/client.gen.js";
import { modelList } from "./hey/gateway/index.js";
import { client as management } from "./hey/management/client.gen.js";
import { virtualKeyCreate, virtualKeyDelete, virtualKeyGet } from "./hey/management/index.js";
import { authorization, equal, url } from "./settings.js";

management.setConfig({ baseUrl: url, headers: { authorization } });
const created = await virtualKeyCreate({
  body: { name: "of hey-api", budget: { max_limit: 0.5, reset_duration: "1d" } },
  throwOnError: true,
});
const { id, value, budgets } = created.data.virtual_key;
equal(budgets[0]?.max_limit, 0.5);

gateway.setConfig({ baseUrl: url, auth: value });
const models = await modelList({ throwOnError: true });
equal(Array.isArray(models.data.data), true);

const path = { vk_id: id };
equal((await virtualKeyDelete({ path, throwOnError: true })).response.status, 200);
const gone = await virtualKeyGet({ path });
equal(gone.error?.error.code, "not_found");

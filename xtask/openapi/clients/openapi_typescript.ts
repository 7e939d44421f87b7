// One round trip with types by openapi-typescript: a virtual key is made, lists its models at the gateway, and is deleted.
import createClient from "openapi-fetch";

import type { paths as Gateway } from "./types/gateway.js";
import type { paths as Management } from "./types/management.js";
import { authorization, equal, url } from "./settings.js";

const management = createClient<Management>({ baseUrl: url, headers: { authorization } });
const created = await management.POST("/api/governance/virtual-keys", {
  body: { name: "of openapi-typescript", budget: { max_limit: 0.5, reset_duration: "1d" } },
});
if (!created.data) throw new Error(created.error.error.message);
const { id, value, budgets } = created.data.virtual_key;
equal(budgets[0]?.max_limit, 0.5);

const gateway = createClient<Gateway>({ baseUrl: url, headers: { "x-bf-vk": value } });
const models = await gateway.GET("/v1/models");
equal(models.response.status, 200);
equal(Array.isArray(models.data?.data), true);

const params = { path: { vk_id: id } };
equal((await management.DELETE("/api/governance/virtual-keys/{vk_id}", { params })).response.status, 200);
const gone = await management.GET("/api/governance/virtual-keys/{vk_id}", { params });
equal(gone.error?.error.code, "not_found");

"""One round trip with clients by openapi-python-client: a virtual key is made, lists its models at the gateway, and is deleted."""

import base64
import os

import keyward_gateway
import keyward_management
from keyward_gateway.api.models import model_list
from keyward_management.api.virtual_keys import virtual_key_create, virtual_key_delete, virtual_key_get
from keyward_management.models import BudgetInput, CreateVirtualKey, ErrorBody, VirtualKeyChanged

url = os.environ["KEYWARD_URL"]
credential = f"{os.environ['KEYWARD_USERNAME']}:{os.environ['KEYWARD_PASSWORD']}"
token = base64.b64encode(credential.encode()).decode()
management = keyward_management.AuthenticatedClient(base_url=url, token=token, prefix="Basic")

budget = BudgetInput(max_limit=0.5, reset_duration="1d")
created = virtual_key_create.sync(client=management, body=CreateVirtualKey(name="of openapi-python-client", budget=budget))
assert isinstance(created, VirtualKeyChanged), created
key = created.virtual_key
assert key.budgets[0].max_limit == 0.5, key.budgets

gateway = keyward_gateway.AuthenticatedClient(base_url=url, token=key.value, prefix="", auth_header_name="x-bf-vk")
models = model_list.sync_detailed(client=gateway)
assert models.status_code == 200 and isinstance(models.parsed.data, list), models

deleted = virtual_key_delete.sync_detailed(key.id, client=management)
assert deleted.status_code == 200, deleted
gone = virtual_key_get.sync(key.id, client=management)
assert isinstance(gone, ErrorBody) and gone.error.code == "not_found", gone

"""What `cargo xtask fuzz-api` checks beyond the checks of Schemathesis."""

import schemathesis
from schemathesis.core import NOT_SET


@schemathesis.check
def refusal_names_what_to_mend(ctx, response, case):
    """A 400 says in words what is wrong, and names the member, parameter or header that it is wrong at."""
    if response.status_code != 400:
        return
    error = response.json()["error"]
    assert error["message"], "a refusal without a message"
    if error["code"] == "invalid_json":
        return
    names_in_words = error["message"].startswith("duplicate field `")
    assert error["param"] or names_in_words or is_about_the_whole(case), f"a refusal that names nothing: {error['message']}"


def is_about_the_whole(case):
    """Whether there is nothing smaller to name than the body itself, because there is one and it is no object."""
    return case.body is not NOT_SET and not isinstance(case.body, dict)

"""Stripe's errors: HTTP status, type, code and fields (pages "Errors", "Error codes")."""

from typing import TypeAlias

JsonObject: TypeAlias = dict[str, object]


class ApiError(Exception):
    """An answer other than 200.

    `executed` says whether the endpoint had begun its work: only then does Stripe keep the answer under the
    idempotency key ("Idempotent requests"). `fields` go into the error object beside type, code, message and
    param.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        executed: bool = True,
        fields: JsonObject | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.code = code
        self.param = param
        self.executed = executed
        self.fields = fields

    def body(self, request_id: str) -> JsonObject:
        """The answer's JSON: {"error": {...}}."""
        error: JsonObject = {"message": self.message, "type": self.kind}
        if self.code is not None:
            error["code"] = self.code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}"
        if self.param is not None:
            error["param"] = self.param
        if self.fields:
            error.update(self.fields)
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        return {"error": error}


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> ApiError:
    """A parameter that cannot be accepted, found before anything was executed."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param, executed=False)


def refused(message: str, *, code: str, param: str | None = None, fields: JsonObject | None = None) -> ApiError:
    """A request that is well formed but not possible in the present state."""
    return ApiError(400, "invalid_request_error", message, code=code, param=param, fields=fields)


def missing(param: str) -> ApiError:
    """A required parameter was left out."""
    return invalid(f"Missing required param: {param}.", param=param, code="parameter_missing")


def no_such(what: str, object_id: str, *, param: str, status: int = 400) -> ApiError:
    """An id that names nothing: 404 when it stands in the path, 400 in a parameter."""
    message = f"No such {what}: '{object_id}'"
    return ApiError(status, "invalid_request_error", message, code="resource_missing", param=param)


def unexpected_state(message: str, payment_intent: JsonObject) -> ApiError:
    """The PaymentIntent's status does not allow the operation; the error carries the PaymentIntent."""
    fields: JsonObject = {"payment_intent": payment_intent}
    return refused(message, code="payment_intent_unexpected_state", fields=fields)

"""Forms of operations: the parameters that a browser sends, and the fields that it sends again."""

from collections.abc import Mapping, Sequence
from typing import Any

from command_api.handling.validation import validating
from deploy.operations.operation import Operation
from deploy.operations.run import Parameters
from deploy.operations_api.routes import as_parameters
from deploy.operations_page.command_lines import command_line
from schemas.errors import Invalid


def parameters_of(operation: Operation[Any], fields: Sequence[tuple[str, str]]) -> Parameters:
    """Returns the parameters in the fields of a form; raises `Invalid`, which names those that are wrong."""
    given = as_parameters(fields, operation.parameters)
    try:
        with validating():
            parameters: Parameters = operation.parameters.model_validate(given)
    except Invalid as error:
        raise Invalid(f"{operation.name}: {error.reasons}", error.violations) from error
    return parameters


def pairs_of(form: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Returns the fields of a form, each as often as it was sent."""
    return [(name, value) for name, values in form.items() for value in values]


def todo(operation: Operation[Any], parameters: Parameters) -> Mapping[str, Any]:
    """Returns the values of the form that does an operation."""
    return {
        "operation": operation.name,
        "fields": _fields(parameters),
        "needs_reason": operation.name == "sagas/cancel",
        "command": command_line(operation, parameters) + ("" if operation.is_reading else " --apply"),
    }


def _fields(parameters: Parameters) -> list[tuple[str, str]]:
    """Returns the parameters that are not as usual, as the fields of a form."""
    fields: list[tuple[str, str]] = []
    for name, value in parameters.model_dump(mode="json", exclude_defaults=True).items():
        fields += [(name, str(one)) for one in value] if isinstance(value, list) else [(name, str(value))]
    return fields

"""The schemas of classes for one document: unique names, which programs that generate code can use."""

from pydantic import BaseModel, create_model

from streams.http.model_schemas import model_schemas


def model(module: str, name: str, **fields: type) -> type[BaseModel]:
    return create_model(name, __module__=module, **{field: (kind, ...) for field, kind in fields.items()})  # type: ignore[call-overload,no-any-return]


ONE, OTHER = model("schemas.corner_shop.views", "Orders", n=int), model("schemas.bakery.views", "Orders", s=str)
FORM = model("schemas.bakery.clients.forms", "Orders", s=str)


def test_a_class_whose_name_is_unique_keeps_it() -> None:
    references, schemas = model_schemas([ONE])

    assert (references[ONE], list(schemas)) == ({"$ref": "#/components/schemas/Orders"}, ["Orders"])
    assert schemas["Orders"]["examples"]


def test_classes_of_one_name_get_those_of_their_systems_and_then_of_their_modules() -> None:
    holder = model("schemas.bakery.holder", "Holder", orders=OTHER)

    references, schemas = model_schemas([ONE, OTHER, FORM, holder])

    names = {of: reference["$ref"].rpartition("/")[2] for of, reference in references.items()}
    assert names[ONE] == "CornerShopOrders"
    assert {names[OTHER], names[FORM]} == {"BakeryOrders", "BakeryViewsOrders"}
    assert names[holder] == "Holder"
    assert set(schemas) == set(names.values())
    assert schemas["CornerShopOrders"]["title"] == "CornerShopOrders"
    assert schemas["Holder"]["properties"]["orders"] == references[OTHER]

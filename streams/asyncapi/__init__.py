"""The AsyncAPI document of an installation's topics."""

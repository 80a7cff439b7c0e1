"""The catalogue of the published language: JSON Schemas, an AsyncAPI document and a page, made from the event classes."""

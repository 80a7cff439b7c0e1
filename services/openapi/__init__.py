"""The document of the API: OpenAPI 3.1 and a page to read, made from the table of routes and the forms of its services."""

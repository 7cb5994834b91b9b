"""The description of the HTTP API, for programs: OpenAPI 3.1, from the models of its bodies."""

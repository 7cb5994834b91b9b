"""Where the time of a request goes, as OpenTelemetry traces; free unless they are switched on."""

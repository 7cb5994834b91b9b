"""``make demo``: a real Label Studio with this backend, on this machine."""

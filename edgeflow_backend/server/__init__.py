"""The door: requests are read whole, within deadlines and limits, before they take a thread."""

"""Images and networks on other machines: replicas under Ray Serve, reached by one door."""

"""The world: commands, channels, the web server, the clock."""

"""Things that look like credentials and are none. `inline` are single settings; the other files make whole decoy files."""

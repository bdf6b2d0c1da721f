"""The web chat: one page, one door in, one stream out."""

"""Pure layout: what every byte of a drive is to hold. Nothing here can touch the world."""

"""Drives coming and going: the udev listener, and the virtual hub that speaks the same events."""

"""The ``roundhouse`` command line; importing it loads neither torch nor Django."""

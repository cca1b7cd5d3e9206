"""Small tools of the house, run by `make`."""

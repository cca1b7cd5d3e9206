"""The real schedule that a laptop starts with, the loader that writes it, and the replay that brings it to life."""

"""The schema as numbered SQL files; `tenor.platform.migrate` applies them."""

"""The only folder that talks to people."""

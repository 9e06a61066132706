"""A week of Norway: invitations opened, looked at, chosen, checked and lettered."""

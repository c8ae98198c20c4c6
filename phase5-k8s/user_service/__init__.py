"""Who there is: accounts, passwords, sessions, and the tokens that say who is calling."""

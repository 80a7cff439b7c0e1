"""The services of Xunjian, each alone with its database, and the command line that composes them."""

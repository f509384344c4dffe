"""What a command tells its user when it can't do what was asked."""


class ClusterError(Exception):
    """One clear sentence with the remedy; the command line prints it and exits with 1."""

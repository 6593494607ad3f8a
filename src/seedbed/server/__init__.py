"""A tracking server for several people: MLflow's own, on PostgreSQL, behind passwords.

What enters are an address to listen on, a folder for artifacts and credentials; what leaves is a
process that answers, and its end. Secrets come from the environment or from a file that nobody else
can read, and go on through the environment or such a file: a command line is for all to see. Refused
are what MLflow would take without a word: a password that is not the one in force, a port that is
taken, a server without an administrator.

This room knows nothing of runs: who trains against a server talks to it as `track` does to any.
"""

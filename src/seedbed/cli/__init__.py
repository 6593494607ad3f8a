"""The verbs, each a few lines.

What enters are the words that a user typed; what leaves are lines on a terminal and an exit code.
`command` is the group of all verbs and the one place where an error becomes a paragraph.

This room knows nothing of how anything is done: every verb imports what it needs when it is called,
so that help and refusals are there in a moment.
"""
